import assert from 'node:assert/strict'
import { test } from 'node:test'
import { documentOf } from './support/oracle.js'
import { bytesOf, hexOf, probe } from './support/probe.js'
import { Random } from './support/random.js'
import { rootKinds } from './support/random-edits.js'
import { allRoots, randomSession } from './support/random-session.js'
import { Y } from './support/yjs.js'
import { eventsOf, inOrder } from './support/yjs-events.js'

/**
 * What the engine can do that the command line does not show, against real Yjs, over random sessions:
 * `SEED=n` runs one alone, `ROUNDS=n` that many of each kind.
 */
const rounds = Number(process.env.ROUNDS ?? 60)
const seeds = process.env.SEED !== undefined
  ? [Number(process.env.SEED)]
  : Array.from({ length: rounds }, (_, i) => i + 1)

const kinds = {
  'of formatted text': { roots: ['text', 'prose 🙂'], clients: [2, 4], steps: [10, 60] },
  'of arrays and maps': { roots: ['array', 'map'], clients: [2, 4], steps: [10, 60] },
  'of XML': { roots: ['xml', 'hooks'], clients: [2, 4], steps: [10, 60] },
  'of every type, in order': { roots: allRoots, clients: [2, 6], steps: [10, 80], orderly: true },
  'of which some never arrive': { roots: allRoots, clients: [2, 6], steps: [10, 80], lossy: true }
}

const textRoots = Object.keys(rootKinds).filter(root => rootKinds[root] === 'text')

for (const [kind, profile] of Object.entries(kinds)) {
  const sessions = work => async () => {
    for (const seed of seeds) {
      const { updates } = randomSession(new Random(seed), profile)
      try {
        await work(updates)
      } catch (error) {
        error.message = `seed ${seed}: ${error.message}`
        throw error
      }
    }
  }

  test(`updates ${kind}: observers are told what Yjs tells them`, sessions(async updates => {
    const ours = await probe('events', updates, ...textRoots)
    updates.forEach((update, i) => {
      // To ask Yjs for a delta can change its document, so each question has one of its own.
      const doc = documentOf(updates.slice(0, i))
      assert.deepEqual(inOrder(JSON.parse(ours[i])), inOrder(eventsOf(doc, update)), `update ${i}`)
    })
  }))

  test(`updates ${kind}: what waits is what waits in Yjs, behind each of them`, sessions(async updates => {
    const ours = await probe('states', updates)
    const doc = new Y.Doc()
    updates.forEach((update, i) => {
      Y.applyUpdate(doc, update)
      assert.equal(ours[i], hexOf(Y.encodeStateAsUpdate(doc)), `behind update ${i}`)
    })
  }))

  test(`updates ${kind}: merged, cut and sized up they are as in Yjs`, sessions(async updates => {
    const [merged] = await probe('merge', updates)
    assert.deepEqual(documentOf([bytesOf(merged)]).toJSON(), documentOf([Y.mergeUpdates(updates)]).toJSON(), 'merged')
    const pairs = updates.slice(1).map((update, i) => [updates[i], update])
    for (const pair of pairs.slice(0, 3)) {
      assert.deepEqual(await probe('merge', pair), [hexOf(Y.mergeUpdates(pair))], 'a pair')
    }
    const vectors = await probe('vectors', updates)
    updates.forEach((update, i) => {
      assert.deepEqual(Y.decodeStateVector(bytesOf(vectors[i])),
        Y.decodeStateVector(Y.encodeStateVectorFromUpdate(update)), `state of update ${i}`)
    })
    const differences = await probe('differences', updates)
    updates.forEach((update, i) => {
      const { to } = Y.parseUpdateMeta(update)
      const known = new Map([...to].map(([client, clock]) => [client, clock - 1]))
      assert.equal(differences[i], hexOf(Y.diffUpdate(update, Y.encodeStateVector(known))), `difference of update ${i}`)
    })
  }))
}

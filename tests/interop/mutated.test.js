import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { test } from 'node:test'
import { documentOf } from './support/oracle.js'
import { bytesOf, hexOf, probe } from './support/probe.js'
import { Random } from './support/random.js'
import { allRoots, randomSession } from './support/random-session.js'
import { Y } from './support/yjs.js'

/**
 * Updates with bytes changed, left out, put in and swapped between them. What is refused goes no
 * further; what is taken is passed on to everybody, so Yjs has to read it, and as the same document.
 * `SEED=n` runs one seed alone, `ROUNDS=n` that many.
 */
const rounds = Number(process.env.ROUNDS ?? 60)
const seeds = process.env.SEED !== undefined
  ? [Number(process.env.SEED)]
  : Array.from({ length: rounds }, (_, i) => i + 1)
const mutationsPerSeed = 100

const corpus = resolve(import.meta.dirname, '../corpus/update')
const known = readdirSync(corpus).map(name => readFileSync(resolve(corpus, name)))

/** The updates of a corpus file, each behind its length in two bytes. */
function updatesOf(bytes) {
  const updates = []
  for (let at = 0; at + 2 <= bytes.length;) {
    const length = Math.min(bytes[at] | bytes[at + 1] << 8, bytes.length - at - 2)
    updates.push(bytes.subarray(at + 2, at + 2 + length))
    at += 2 + length
  }
  return updates
}

function mutate(random, update, others) {
  let bytes = [...update]
  for (let times = random.integer(1, 4); times > 0; times--) {
    const at = random.integer(0, Math.max(0, bytes.length - 1))
    const piece = random.pick(others)
    const from = random.integer(0, Math.max(0, piece.length - 1))
    const part = [...piece.subarray(from, from + random.integer(1, 12))]
    random.weighted([
      [4, () => { bytes[at] ^= 1 << random.integer(0, 7) }],
      [3, () => { bytes[at] = random.integer(0, 255) }],
      [2, () => { bytes[at] = Math.max(0, bytes[at] + random.pick([-1, 1])) & 255 }],
      [1, () => { bytes.splice(at, random.integer(1, 4)) }],
      [1, () => { bytes.splice(at, 0, ...random.bytes(random.integer(1, 3))) }],
      [2, () => { bytes.splice(at, part.length, ...part) }],
      [1, () => { bytes.splice(at, 0, ...part) }],
      [1, () => { bytes = bytes.slice(0, at) }]
    ])()
  }
  return Uint8Array.from(bytes)
}

const rewritten = state => hexOf(Y.encodeStateAsUpdate(documentOf([state])))

/** Yjs writes ranges in order, and reads others back as something else once they have waited. */
function hasOrderlyDeletions(update) {
  return [...Y.decodeUpdate(update).ds.clients.values()].every(ranges =>
    ranges.every(({ clock }, i) => i === 0 || ranges[i - 1].clock + ranges[i - 1].len <= clock))
}

/**
 * Brings a block that the base has, changed perhaps: two of one id. Which of them stays is no question
 * of the format: Yjs keeps the second where it waits for something, or links a longer one's rest behind
 * the first wherever that stands, in another type even.
 */
function repeatsKnownBlock(update, base) {
  const known = Y.decodeStateVector(Y.encodeStateVectorFromUpdate(base))
  return Y.decodeUpdate(update).structs.some(({ id }) => id.clock < (known.get(id.client) ?? 0))
}

test('what is taken of mutated updates, Yjs reads as the same document', async () => {
  let compared = 0
  for (const seed of seeds) {
    const random = new Random(seed)
    const { updates } = randomSession(random, { roots: allRoots, clients: [2, 4], steps: [5, 30], orderly: true })
    const half = updates.slice(0, updates.length / 2)
    const base = Y.encodeStateAsUpdate(documentOf(half))
    const sources = [...updates, base, ...updatesOf(random.pick(known))].filter(update => update.length > 0)
    const mutated = Array.from({ length: mutationsPerSeed },
      () => mutate(random, random.pick(sources), sources))
    const ours = await probe('taken', [base, ...mutated])
    mutated.forEach((update, i) => {
      if (ours[i] === 'refused') return
      const doc = documentOf([base])
      try {
        Y.applyUpdate(doc, update)
        // What waits may stand here as it came, and there as Yjs writes it: once more through Yjs.
        if (!hasOrderlyDeletions(update) || repeatsKnownBlock(update, base)) return
        compared++
        assert.equal(rewritten(bytesOf(ours[i])), rewritten(Y.encodeStateAsUpdate(doc)))
      } catch (error) {
        error.message = `seed ${seed}, update ${hexOf(update)} behind ${hexOf(base)}: ${error.message}`
        throw error
      }
    })
  }
  assert.ok(compared > seeds.length, 'hardly anything was taken')
})

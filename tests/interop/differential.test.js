import assert from 'node:assert/strict'
import { readFile, mkdir, writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { contentOf, documentOf, stateOf } from './support/oracle.js'
import { editDocument } from './support/random-edits.js'
import { framed, succeed, withFolder } from './support/palimpsest.js'
import { Random } from './support/random.js'
import { allRoots, randomSession } from './support/random-session.js'
import { shrink } from './support/shrink.js'
import { Y } from './support/yjs.js'

/**
 * The same updates for real Yjs and for `palimpsest doc`: what they make of them has to be equal,
 * to the byte. One seed is one random session; `SEED=n` runs that one alone, `ROUNDS=n` that many
 * of each kind, `FIRST=n` starts elsewhere than at 1.
 */
const rounds = Number(process.env.ROUNDS ?? 60)
const first = Number(process.env.FIRST ?? 1)
const seeds = process.env.SEED !== undefined
  ? [Number(process.env.SEED)]
  : Array.from({ length: rounds }, (_, i) => first + i)

const kinds = {
  'formatted text with embeds, by two to four people':
    { roots: ['text', 'prose 🙂'], clients: [2, 4], steps: [10, 80] },
  'arrays and maps with nested types and every kind of value':
    { roots: ['array', 'map'], clients: [2, 5], steps: [10, 80] },
  'XML with elements, attributes and formatted text':
    { roots: ['xml', 'hooks'], clients: [2, 5], steps: [10, 80] },
  'every type at once, by up to twelve people':
    { roots: allRoots, clients: [4, 12], steps: [20, 200] },
  'updates that arrive in the order they were made in':
    { roots: allRoots, clients: [2, 6], steps: [20, 150], orderly: true },
  'updates of which some never arrive':
    { roots: allRoots, clients: [2, 6], steps: [20, 120], lossy: true }
}

for (const [kind, profile] of Object.entries(kinds)) {
  test(`${kind}: ours and Yjs agree, ${seeds.length} times`, async () => {
    await inParallel(seeds, seed => compareSession(seed, kind, profile))
  })
}

test('merging update files one by one gives what the framed list gives', async () => {
  await inParallel(seeds.slice(0, 20), seed => withFolder(async folder => {
    const random = new Random(seed)
    const { updates } = randomSession(random, kinds['every type at once, by up to twelve people'])
    const files = updates.map((_, i) => join(folder, `${i}.update`))
    await Promise.all(files.map((file, i) => writeFile(file, updates[i])))
    await succeed('doc', 'merge', ...files, '-o', join(folder, 'merged'))
    assertSameBytes(await readFile(join(folder, 'merged')), Y.encodeStateAsUpdate(documentOf(updates)), 'merge')
  }))
})

test('updates that Yjs wrote in v2 while people were typing give the document that Yjs has', async () => {
  await inParallel(seeds, seed => withFolder(async folder => {
    const random = new Random(seed)
    const updates = editsInV2(random)
    const doc = new Y.Doc()
    for (const update of updates) Y.applyUpdateV2(doc, update)
    const [file, merged] = ['updates', 'merged'].map(name => join(folder, name))
    await writeFile(file, framed(updates))
    await succeed('doc', 'merge', '--framed', '--v2-in', file, '-o', merged)
    assertSameBytes(await readFile(merged), Y.encodeStateAsUpdate(doc), `seed ${seed}`)
  }))
})

/** What some clients who see each other's work write, in the order in which they write it. */
function editsInV2(random) {
  const made = []
  const docs = Array.from({ length: 3 }, (_, i) => {
    const doc = new Y.Doc()
    doc.clientID = random.integer(i * 2 ** 50, (i + 1) * 2 ** 50 - 1)
    doc.on('updateV2', (update, origin) => origin !== 'remote' && made.push(update))
    return doc
  })
  for (let step = random.integer(10, 80); step > 0; step--) {
    const doc = random.pick(docs)
    editDocument(random, doc, allRoots)
    if (random.chance(0.5)) Y.applyUpdateV2(random.pick(docs), Y.encodeStateAsUpdateV2(doc), 'remote')
  }
  return made
}

async function inParallel(list, work) {
  const rest = [...list]
  const one = async () => {
    while (rest.length > 0) await work(rest.shift())
  }
  await Promise.all(Array.from({ length: availableParallelism() * 2 }, one))
}

async function compareSession(seed, kind, profile) {
  const random = new Random(seed)
  const { updates, stateVectors } = randomSession(random, profile)
  const someStateVectors = random.shuffle(stateVectors).slice(0, 2)
  try {
    await compare(updates, someStateVectors)
  } catch (error) {
    const small = await shrink(updates, async list => {
      try {
        await compare(list, someStateVectors)
        return false
      } catch (other) {
        return whatFailed(other) === whatFailed(error)
      }
    })
    const folder = await keep(`${Object.keys(kinds).indexOf(kind)}-${seed}`, small, error)
    throw new Error(`seed ${seed}: ${error.message}\n` +
      `again: SEED=${seed} npm test · ${small.length} of ${updates.length} updates are enough: ${folder}`)
  }
}

const whatFailed = error => error.message.split(/[:\n]/)[0]

/** Throws where ours is not what Yjs makes of these updates. */
async function compare(updates, stateVectors) {
  await withFolder(async folder => {
    const merged = join(folder, 'merged')
    await writeFile(join(folder, 'updates'), framed(updates))
    await succeed('doc', 'merge', '--framed', join(folder, 'updates'), '-o', merged)
    const expected = Y.encodeStateAsUpdate(documentOf(updates))
    assertSameBytes(await readFile(merged), expected, 'merge')

    const doc = documentOf([expected])
    assert.deepEqual(JSON.parse(await succeed('doc', 'state', merged)), stateOf(doc), 'state')
    await compareContent(merged, expected)
    for (const [i, stateVector] of stateVectors.entries()) {
      await writeFile(join(folder, `since${i}`), stateVector)
      await succeed('doc', 'diff', merged, '--since', join(folder, `since${i}`), '-o', join(folder, `diff${i}`))
      assertSameBytes(await readFile(join(folder, `diff${i}`)), Y.encodeStateAsUpdate(doc, stateVector), 'diff')
    }
    await compareV2(folder, updates, merged)
  })
}

/** The same updates and their state in format v2: read by ours, and written by both. */
async function compareV2(folder, updates, merged) {
  const [updatesV2, mergedV2, back] = ['updates.v2', 'merged.v2', 'back'].map(name => join(folder, name))
  await writeFile(updatesV2, framed(updates.map(Y.convertUpdateFormatV1ToV2)))
  await succeed('doc', 'merge', '--framed', '--v2-in', '--v2', updatesV2, '-o', mergedV2)
  assertSameBytes(await readFile(mergedV2), Y.encodeStateAsUpdateV2(documentOf(updates)), 'merge v2')
  await succeed('doc', 'merge', '--v2-in', mergedV2, '-o', back)
  await succeed('doc', 'merge', merged, '-o', merged)
  assertSameBytes(await readFile(back), await readFile(merged), 'v2 to v1')
}

async function compareContent(file, update) {
  for (const root of documentOf([update]).share.keys()) {
    for (const [format, expected] of Object.entries(contentOf(update, root))) {
      const shown = await succeed('doc', 'show', file, '--root', root, '--format', format)
      assert.deepEqual(typeof expected === 'string' ? shown : JSON.parse(shown), expected, `${root} as ${format}`)
    }
  }
}

function assertSameBytes(ours, theirs, what) {
  if (Buffer.compare(ours, theirs) === 0) return
  const place = theirs.findIndex((byte, i) => byte !== ours[i])
  assert.fail(`${what}: ${ours.length} bytes, Yjs writes ${theirs.length}; they part at byte ` +
    `${place === -1 ? theirs.length : place}`)
}

/** Leaves a failed case where somebody can look at it. */
async function keep(name, updates, error) {
  const folder = resolve(import.meta.dirname, '../../build/test-logs/differential', name)
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'updates.framed'), framed(updates))
  await writeFile(join(folder, 'updates.hex'), updates.map(update => Buffer.from(update).toString('hex') + '\n').join(''))
  await writeFile(join(folder, 'expected.hex'), Buffer.from(Y.encodeStateAsUpdate(documentOf(updates))).toString('hex') + '\n')
  await writeFile(join(folder, 'error.txt'), error.stack + '\n')
  return folder
}

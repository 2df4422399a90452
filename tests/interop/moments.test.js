import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { CrdtPeer, hex, unhex } from './support/crdt-peer.js'
import { plain } from './support/oracle.js'
import { Random } from './support/random.js'
import { allTypes, editDocument, randomAttributes, randomString, typedRoot } from './support/random-edits.js'
import { Y } from './support/yjs.js'

/**
 * Snapshots, relative positions, undoing and local edits: what our engine answers against what real
 * Yjs does. One seed is one random run; `SEED=n` runs that one alone, `ROUNDS=n` that many of each.
 */
const rounds = Number(process.env.ROUNDS ?? 60)
const seeds = process.env.SEED !== undefined
  ? [Number(process.env.SEED)]
  : Array.from({ length: rounds }, (_, i) => i + 1)

const roots = ['text', 'array', 'map', 'xml']
const [ours, restorer] = [1, 1_000_003]

let peer
before(() => { peer = new CrdtPeer() })
after(() => peer.close())

/** @param {(random: Random, seed: number) => Promise<void>} work */
function eachSeed(name, work) {
  test(`${name}, ${seeds.length} times`, async () => {
    for (const seed of seeds) {
      try {
        await work(new Random(seed), seed)
      } catch (error) {
        throw new Error(`seed ${seed}; again: SEED=${seed} npm test`, { cause: error })
      }
    }
  })
}

function keepingDoc(clientID) {
  const doc = new Y.Doc({ gc: false })
  doc.clientID = clientID
  for (const root of roots) typedRoot(doc, root)
  return doc
}

/**
 * Hands an update to the Yjs document and to ours; what Yjs then deletes by itself, formatting marks
 * without effect, is ours to know too.
 */
async function applyToBoth(keeper, update, origin, note) {
  const made = []
  const listen = (update, origin) => made.push([update, origin])
  keeper.on('update', listen)
  Y.applyUpdate(keeper, update, origin)
  keeper.off('update', listen)
  await peer.ask(...made.map(([update, from]) =>
    ({ do: 'apply', doc: ours, update: hex(update), ...(from === origin && note ? { note } : {}) })))
}

/**
 * Some people edit; what each of them made reaches `keep(update, author)` in the order of making, and
 * the others when they sync.
 */
async function session(random, steps, keep, people = [keepingDoc(11), keepingDoc(2 ** 40), keepingDoc(33)]) {
  for (let i = 0; i < steps; i++) {
    const author = random.pick(people)
    const before = Y.encodeStateVector(author)
    const updates = []
    const note = update => updates.push(update)
    author.on('update', note)
    editDocument(random, author, roots, { cutPairs: false })
    author.off('update', note)
    for (const update of updates) await keep(update, author, before)
    if (random.chance(0.4)) Y.applyUpdate(random.pick(people), Y.encodeStateAsUpdate(author))
  }
  return people
}

/** A delta without the borders that formatting marks without effect leave. */
function joined(delta) {
  const operations = []
  for (const { insert, attributes } of delta) {
    const last = operations.at(-1)
    if (typeof insert === 'string' && typeof last?.insert === 'string' && isDeepStrictEqual(last.attributes, attributes)) {
      last.insert += insert
    } else {
      operations.push(attributes === undefined ? { insert } : { insert, attributes })
    }
  }
  return operations
}

/** What a document says, root by root. */
function contentOf(doc) {
  return {
    text: joined(plain(doc.getText('text').toDelta())),
    array: plain(doc.getArray('array')),
    map: plain(doc.getMap('map')),
    xml: doc.getXmlFragment('xml').toString()
  }
}

async function ourContent(doc) {
  const [text, array, map, xml] = await peer.ask(
    ...[['text', 'delta'], ['array', 'array'], ['map', 'map'], ['xml', 'xml']]
      .map(([type, as]) => ({ do: 'read', doc, type, as })))
  return { text: joined(text), array, map, xml }
}

/** A state as a Yjs document without history of its own writes it. */
function settled(state) {
  const doc = new Y.Doc({ gc: false })
  Y.applyUpdate(doc, state)
  return hex(Y.encodeStateAsUpdate(doc))
}

eachSeed('a document at each of its snapshots is the one that Yjs makes', async random => {
  const keeper = keepingDoc(1)
  await peer.ask({ do: 'open', doc: ours, gc: false })
  const snapshots = []
  await session(random, random.integer(5, 40), async update => {
    await applyToBoth(keeper, update)
    const snapshot = hex(Y.encodeSnapshot(Y.snapshot(keeper)))
    const [mine] = await peer.ask({ do: 'snapshot', doc: ours })
    assert.equal(mine, snapshot, 'snapshot')
    if (keeper.store.pendingStructs === null) snapshots.push(snapshot)
  })
  for (const snapshot of random.shuffle(snapshots).slice(0, 8)) {
    const then = Y.createDocFromSnapshot(keeper, Y.decodeSnapshot(unhex(snapshot)))
    const [, state] = await peer.ask(
      { do: 'at', doc: ours, snapshot, as: 2 }, { do: 'encode', doc: 2 })
    assert.equal(state, hex(Y.encodeStateAsUpdate(then)), 'state')
    assert.deepEqual(await ourContent(2), contentOf(then))
  }
})

/** As the peer names it. */
function nameOf(type) {
  return type._item === null
    ? [...type.doc.share].find(([, root]) => root === type)[0]
    : [type._item.id.client, type._item.id.clock]
}

const listTypes = doc => allTypes(roots.map(root => typedRoot(doc, root)))
  .filter(type => !(type instanceof Y.Map))

eachSeed('relative positions are the same bytes and lead to the same place', async random => {
  const keeper = keepingDoc(1)
  await peer.ask({ do: 'open', doc: ours, gc: false })
  const positions = []
  const people = await session(random, 20, async update => {
    await applyToBoth(keeper, update)
    const type = random.pick(listTypes(keeper))
    const index = random.integer(0, type.length)
    const assoc = random.pick([-1, 0])
    const position = hex(Y.encodeRelativePosition(
      Y.createRelativePositionFromTypeIndex(type, index, assoc)))
    assert.deepEqual(
      await peer.ask({ do: 'position', doc: ours, type: nameOf(type), index, assoc }), [position])
    positions.push(position)
  })
  await session(random, 20, async update => {
    await applyToBoth(keeper, update)
  }, people)
  for (const position of positions) {
    const place = Y.createAbsolutePositionFromRelativePosition(
      Y.decodeRelativePosition(unhex(position)), keeper, false)
    const [mine] = await peer.ask({ do: 'resolve', doc: ours, position })
    assert.deepEqual(mine, place && { type: nameOf(place.type), index: place.index }, position)
  }
})

eachSeed("undoing one author's changes does what Yjs' undo manager does", async (random, seed) => {
  const keeper = keepingDoc(restorer)
  const undoManager = new Y.UndoManager(keeper, { trackedOrigins: new Set([11]), captureTimeout: 1e12 })
  await peer.ask({ do: 'open', doc: ours, gc: false })
  const note = `${seed}`
  const people = await session(random, random.integer(5, 40), async (update, author) => {
    const { clientID } = author
    await applyToBoth(keeper, update, clientID, clientID === 11 ? note : undefined)
  })
  // Yjs brings things back in the order in which it met their authors, ours in the order of ids.
  const isOrderGiven = (undoManager.undoStack.at(-1)?.deletions.clients.size ?? 0) <= 1
  undoManager.undo()
  await peer.ask({ do: 'change', doc: ours, client: restorer, calls: [['undo', note]] })
  assert.deepEqual(await ourContent(ours), contentOf(keeper))
  if (isOrderGiven) {
    const [state] = await peer.ask({ do: 'encode', doc: ours })
    assert.equal(settled(unhex(state)), settled(Y.encodeStateAsUpdate(keeper)), 'state')
  }
  // What people write who have not heard of it ends up in the same places.
  await session(random, 10, update => applyToBoth(keeper, update), people)
  assert.deepEqual(await ourContent(ours), contentOf(keeper))
})

eachSeed('a restored moment reads as it did, for Yjs too', async random => {
  const keeper = keepingDoc(1)
  await peer.ask({ do: 'open', doc: ours, gc: false })
  const keep = update => applyToBoth(keeper, update)
  const people = await session(random, 15, keep)
  const [snapshot] = await peer.ask({ do: 'snapshot', doc: ours })
  const then = contentOf(keeper)
  await session(random, 15, keep, people)
  const [{ update }] = await peer.ask(
    { do: 'change', doc: ours, client: restorer, calls: [['restore', snapshot]] })
  if (update !== '') Y.applyUpdate(keeper, unhex(update))
  assert.deepEqual(contentOf(keeper), then)
  assert.deepEqual(await ourContent(ours), then)
})

/** One call of Transaction, done to the Yjs document at once; answers it as the peer takes it. */
function randomCall(random, doc) {
  const text = doc.getText('text')
  const array = doc.getArray('array')
  const map = doc.getMap('map')
  const units = text.toDelta().map(({ insert }) => typeof insert === 'string' ? insert : '-').join('')
  const whole = index => /^[\ud800-\udbff][\udc00-\udfff]$/.test(units.slice(index - 1, index + 1)) ? index - 1 : index
  const index = whole(random.integer(0, text.length))
  const length = whole(random.integer(index, Math.min(text.length, index + 10))) - index
  const place = random.integer(0, array.length)
  const key = random.pick(['a', 'b', 'länge'])
  const attributes = randomAttributes(random, true)
  const string = randomString(random)
  const call = (name, type, ...rest) => [name, type, ...rest]
  return random.weighted([
    [6, () => (text.insert(index, string), call('text_insert', 'text', index, string))],
    [3, () => (text.insert(index, string, { ...attributes }), call('text_insert', 'text', index, string, attributes))],
    [1, () => (text.insertEmbed(index, { image: 'x' }, { ...attributes }), call('text_embed', 'text', index, { image: 'x' }, attributes))],
    [5, () => (text.delete(index, length), call('text_delete', 'text', index, length))],
    [4, () => (text.format(index, length, { ...attributes }), call('text_format', 'text', index, length, attributes))],
    [3, () => {
      const delta = [
        { retain: index, attributes }, { insert: string }, { delete: length }, { insert: { image: 'y' }, attributes }
      ].filter(op => op.retain !== 0 && op.delete !== 0)
      text.applyDelta(structuredClone(delta))
      return call('text_apply', 'text', delta)
    }],
    [4, () => (array.insert(place, [1, 'two', null, { three: [4] }]), call('array_insert', 'array', place, [1, 'two', null, { three: [4] }]))],
    [2, () => (array.insert(place, [new Y.Map()]), call('array_insert_type', 'array', place, { type: 'Map' }))],
    [3, () => {
      const count = random.integer(0, Math.min(array.length - place, 4))
      array.delete(place, count)
      return call('array_delete', 'array', place, count)
    }],
    [3, () => (map.set(key, string), call('map_set', 'map', key, string))],
    [1, () => (map.set(key, new Y.XmlElement('p')), call('map_set_type', 'map', key, { type: 'XmlElement', name: 'p' }))],
    [1, () => (map.delete(key), call('map_delete', 'map', key))]
  ])()
}

eachSeed('local edits read as those of Yjs, and Yjs takes them', async random => {
  const theirs = keepingDoc(7)
  const reader = keepingDoc(8)
  await peer.ask({ do: 'open', doc: ours, gc: true })
  for (let i = 0; i < 30; i++) {
    const call = randomCall(random, theirs)
    const [{ update }] = await peer.ask({ do: 'change', doc: ours, client: 7, calls: [call] })
    if (update !== '') Y.applyUpdate(reader, unhex(update))
    const content = contentOf(theirs)
    assert.deepEqual(await ourContent(ours), content, JSON.stringify(call))
    assert.deepEqual(contentOf(reader), content, JSON.stringify(call))
  }
})

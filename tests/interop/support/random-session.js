import { Y } from './yjs.js'
import { editDocument, rootKinds } from './random-edits.js'
import { jsonContentUpdate } from './json-content.js'

/**
 * What to vary between sessions.
 *
 * @typedef {object} Profile
 * @property {string[]} roots       names of the roots that are edited
 * @property {[number, number]} clients  fewest and most clients
 * @property {[number, number]} steps    fewest and most steps (an edit, or a sync)
 * @property {boolean} [lossy]      some updates never arrive, so that others keep waiting for them
 * @property {boolean} [orderly]    updates arrive in the order in which they were made
 */

/** Client ids as different programs draw them: small, 32 bits, 53 bits. */
function randomClientId(random) {
  return random.weighted([
    [1, () => random.integer(0, 200)],
    [3, () => random.integer(1, 2 ** 32 - 1)],
    [2, () => random.integer(2 ** 32, 2 ** 53 - 1)],
    [0.1, () => 2 ** 53 - 1]
  ])()
}

class Client {
  constructor(random, clientId, announce) {
    this.doc = new Y.Doc({ gc: random.chance(0.8) })
    this.doc.clientID = clientId
    this.undo = random.chance(0.3)
      ? new Y.UndoManager([this.doc.getText('text'), this.doc.getArray('array')], { captureTimeout: 0 })
      : null
    this.doc.on('update', (update, origin) => {
      if (origin !== 'remote') announce(update)
    })
  }

  edit(random, roots) {
    if (this.undo && random.chance(0.25)) {
      random.chance(0.6) ? this.undo.undo() : this.undo.redo()
    } else {
      editDocument(random, this.doc, roots)
    }
  }

  receive(update) {
    Y.applyUpdate(this.doc, update, 'remote')
    // Yjs draws a new id by chance when it sees its own one used by somebody else; here it is not.
  }
}

/**
 * Some clients edit one document while parts of their work reach some of the others.
 *
 * @returns {{ updates: Uint8Array[], stateVectors: Uint8Array[] }} what arrives at a server, in the
 *   order of arrival: shuffled, repeated, merged, and with whole states among it; and what the
 *   clients knew at the end.
 */
export function randomSession(random, profile) {
  const made = []
  const ids = new Set()
  const clients = Array.from({ length: random.integer(...profile.clients) }, () => {
    let id
    do id = randomClientId(random)
    while (ids.has(id))
    ids.add(id)
    return new Client(random, id, update => made.push(update))
  })

  for (let step = random.integer(...profile.steps); step > 0; step--) {
    random.weighted([
      [6, () => random.pick(clients).edit(random, profile.roots)],
      [2, () => made.length > 0 && random.pick(clients).receive(random.pick(made))],
      [2, () => {
        const from = random.pick(clients)
        const to = random.pick(clients)
        if (from === to) return
        const difference = Y.encodeStateAsUpdate(from.doc, Y.encodeStateVector(to.doc))
        to.receive(difference)
        if (random.chance(0.3)) made.push(difference)
      }],
      [0.3, () => made.push(Y.encodeStateAsUpdate(random.pick(clients).doc))],
      [0.3, () => {
        const some = made.filter(() => random.chance(0.3))
        if (some.length > 1) made.push(Y.mergeUpdates(some))
      }],
      [profile.roots.includes('array') ? 0.2 : 0, () => made.push(jsonContentUpdate(random, 'array', ids))]
    ])()
  }

  return {
    updates: arrival(random, made, profile),
    stateVectors: clients.map(client => Y.encodeStateVector(client.doc))
  }
}

function arrival(random, made, { lossy, orderly }) {
  let updates = made
  if (lossy) {
    // A missing beginning keeps most waiting; missing pieces elsewhere keep some.
    updates = random.chance(0.5)
      ? made.slice(random.integer(1, Math.max(1, Math.floor(made.length / 3))))
      : made.filter(() => random.chance(0.85))
  }
  if (orderly) return updates
  updates = [...updates, ...updates.filter(() => random.chance(0.15))]
  if (random.chance(0.3)) return random.shuffle(updates)
  // Late, by some places, is more usual than in any order.
  return updates
    .map((update, place) => ({ update, place: place + random.integer(0, 6) }))
    .sort((a, b) => a.place - b.place)
    .map(({ update }) => update)
}

export const allRoots = Object.keys(rootKinds)

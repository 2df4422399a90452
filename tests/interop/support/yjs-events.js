import { Y } from './yjs.js'
import { plain } from './oracle.js'
import { rootKinds, typedRoot } from './random-edits.js'

/** What observers of real Yjs are told of one update, in the form in which the probe prints ours. */

/** A value as JSON text has it, where undefined is null. */
const shown = value => plain(value) ?? null

function stepOf(op, isText) {
  const step = { ...op }
  if (op.attributes) step.attributes = plain(op.attributes)
  if (op.insert === undefined || (isText && typeof op.insert === 'string')) return step
  step.insert = (isText ? [op.insert] : op.insert).map(shown)
  return step
}

function keysOf(event) {
  const keys = {}
  for (const [key, { action, oldValue }] of event.keys) {
    const item = event.target._map.get(key)
    const after = action === 'delete' ? undefined : item.content.getContent().at(-1)
    keys[key] = { action, before: shown(oldValue), after: shown(after) }
  }
  return keys
}

function eventOf(root, event) {
  const isText = event.target instanceof Y.Text
  const delta = (isText ? event.delta : event.changes.delta).map(op => stepOf(op, isText))
  return { root, path: event.path, isText, delta, keys: keysOf(event) }
}

/** Applies the update to a document that nobody has observed yet; answers its events. */
export function eventsOf(doc, update) {
  const events = []
  for (const root of Object.keys(rootKinds)) {
    typedRoot(doc, root).observeDeep((list, { local }) => {
      // What Yjs cleans up behind a remote change is a change of its own.
      if (!local) events.push(...list.map(event => eventOf(root, event)))
    })
  }
  Y.applyUpdate(doc, update)
  return events
}

const placeOf = ({ root, path }) => JSON.stringify([root, ...path])

/** Events have no order among those equally far from their root. */
export function inOrder(events) {
  return events.sort((a, b) => (placeOf(a) < placeOf(b) ? -1 : 1))
}

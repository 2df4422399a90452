import { Y } from './yjs.js'
import { rootKinds } from './random-edits.js'

/** What real Yjs says about updates: the other side of every comparison with ours. */

/** A document that saw these updates, one by one. */
export function documentOf(updates) {
  const doc = new Y.Doc()
  for (const update of updates) Y.applyUpdate(doc, update)
  return doc
}

/** What `palimpsest doc state` prints. */
export function stateOf(doc) {
  const { ds } = Y.snapshot(doc)
  const deleteSet = {}
  for (const [client, ranges] of ds.clients) {
    deleteSet[client] = ranges.map(({ clock, len }) => [clock, len])
  }
  return {
    stateVector: Object.fromEntries(Y.decodeStateVector(Y.encodeStateVector(doc))),
    deleteSet,
    pending: doc.store.pendingStructs !== null || doc.store.pendingDs !== null
  }
}

/** A value as it looks after a way through JSON. */
export function plain(value) {
  switch (typeof value) {
    case 'undefined': return null
    case 'bigint': return Number(value)
    case 'number': return Number.isFinite(value) ? value + 0 : null
    case 'object': break
    default: return value
  }
  if (value === null) return null
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value.toJSON === 'function') return plain(value.toJSON())
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, plain(member)]))
}

/**
 * The content of a root in every format that suits it: format → text, or the value that the JSON
 * text stands for. Formats of which an empty root could be any are left out.
 */
export function contentOf(update, rootName) {
  const doc = documentOf([update])
  switch (rootKinds[rootName]) {
    case 'text': {
      const text = doc.getText(rootName)
      return { text: text.toString(), delta: plain(text.toDelta()) }
    }
    case 'xml':
      return { xml: doc.getXmlFragment(rootName).toString() }
    case 'array': {
      const list = plain(doc.getArray(rootName))
      return list.length > 0 ? { json: list } : {}
    }
    case 'map': {
      const map = plain(doc.getMap(rootName))
      return Object.keys(map).length > 0 ? { json: map } : {}
    }
  }
  throw new Error(`no such root: ${rootName}`)
}

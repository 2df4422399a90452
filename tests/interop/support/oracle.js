import { Y } from './yjs.js'
import { rootKinds } from './random-edits.js'

const xmlTypes = [Y.XmlElement, Y.XmlText, Y.XmlHook]

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

/** A value as it looks after a way through JSON.stringify(), with BigInts as numbers. */
export function plain(value) {
  switch (typeof value) {
    case 'undefined': return undefined
    case 'bigint': return Number(value)
    case 'number': return Number.isFinite(value) ? value + 0 : null
    case 'object': break
    default: return value
  }
  if (value === null) return null
  if (Array.isArray(value)) return value.map(member => plain(member) ?? null)
  if (typeof value.toJSON === 'function') return plain(value.toJSON())
  return Object.fromEntries(Object.entries(value)
    .map(([key, member]) => [key, plain(member)])
    .filter(([, member]) => member !== undefined))
}

/**
 * The content of a root in every format that suits it: format → text, or the value that the JSON
 * text stands for. Without json where the content does not tell what the root is: when it is empty, or
 * a list of XML types and nothing else.
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
      const array = doc.getArray(rootName)
      const isArray = array.toArray().some(member => !xmlTypes.some(type => member instanceof type))
      return isArray ? { json: plain(array) } : {}
    }
    case 'map': {
      const map = plain(doc.getMap(rootName))
      return doc.getMap(rootName).size > 0 ? { json: map } : {}
    }
  }
  throw new Error(`no such root: ${rootName}`)
}

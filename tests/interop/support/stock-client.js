import { rootKinds, typedRoot } from './random-edits.js'
import { plain } from './oracle.js'
import { providers, WebSocket, Y } from './yjs.js'

// Every provider waits for the end of the process.
process.setMaxListeners(0)

export const versions = Object.keys(providers)

/** A person with a stock y-websocket provider. */
export class StockClient {
  /**
   * @param {string} url of the server
   * @param {string} room the document's name
   * @param {{ version?: string, doc?: Y.Doc, params?: Record<string, string> }} [options]
   */
  constructor(url, room, { version = '3.1', doc = new Y.Doc(), params = {} } = {}) {
    this.doc = doc
    this.closeCodes = []
    this.statuses = []
    this.provider = new providers[version](url, room, doc, { WebSocketPolyfill: WebSocket, disableBc: true, params })
    this.provider.on('connection-close', event => this.closeCodes.push(event?.code ?? null))
    this.provider.on('connection-error', () => {})
    this.provider.on('status', ({ status }) => this.statuses.push(status))
  }

  get isSynced() {
    return this.provider.synced
  }

  get text() {
    return this.doc.getText('content').toString()
  }

  type(text) {
    const content = this.doc.getText('content')
    content.insert(content.length, text)
  }

  /** The connection breaks, without a word to the server. */
  breakConnection() {
    this.provider.ws?.terminate()
  }

  leave() {
    this.provider.destroy()
    this.provider.awareness.destroy()
    this.doc.destroy()
  }
}

/** In which order keys came is nothing that replicas agree on. */
function sortKeys(value) {
  if (Array.isArray(value)) return value.map(sortKeys)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.keys(value).sort().map(key => [key, sortKeys(value[key])]))
}

/** Everything that two replicas have to agree on, as one value to compare. */
export function agreement(doc) {
  const copy = new Y.Doc()
  Y.applyUpdate(copy, Y.encodeStateAsUpdate(doc))
  const content = Object.keys(rootKinds).map(name => {
    const root = typedRoot(copy, name)
    return [name, sortKeys(plain(root instanceof Y.Text ? root.toDelta() : root))]
  })
  const { sv, ds } = Y.snapshot(doc)
  const sorted = map => [...map].sort(([a], [b]) => a - b)
  return JSON.stringify({
    content: [...content, ['content', copy.getText('content').toString()]],
    stateVector: sorted(sv),
    deleteSet: sorted(ds.clients)
  })
}

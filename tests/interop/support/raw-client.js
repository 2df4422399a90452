import { once } from 'node:events'
import { within, until } from './wait.js'
import { decoding, encoding, syncProtocol, WebSocket, Y } from './yjs.js'

/** The messages of the y-websocket protocol, as bytes. */
export const message = {
  syncStep1: doc => encode(encoder => {
    encoding.writeVarUint(encoder, 0)
    syncProtocol.writeSyncStep1(encoder, doc)
  }),
  syncStep2: update => syncMessage(1, update),
  update: update => syncMessage(2, update),
  agedUpdate: (ageMs, update) => encode(encoder => {
    encoding.writeVarUint(encoder, 9)
    encoding.writeVarUint(encoder, ageMs)
    encoding.writeVarUint8Array(encoder, update)
  })
}

function syncMessage(kind, update) {
  return encode(encoder => {
    encoding.writeVarUint(encoder, 0)
    encoding.writeVarUint(encoder, kind)
    encoding.writeVarUint8Array(encoder, update)
  })
}

function encode(write) {
  const encoder = encoding.createEncoder()
  write(encoder)
  return encoding.toUint8Array(encoder)
}

/**
 * A WebSocket of our own with nothing between the test and the wire: what was sent and what came
 * stays visible. Keeps `doc` up to date with what comes, and sends nothing by itself.
 */
export class RawClient {
  static async connect(url, doc = new Y.Doc()) {
    const client = new RawClient(url, doc)
    await within(10_000, 'the WebSocket opens', client.opened)
    return client
  }

  constructor(url, doc) {
    this.doc = doc
    this.messages = [] // { type, kind, payload }: kind is that of a sync message
    this.acknowledged = 0
    this.generation = null
    this.synced = false
    this.closeCode = null
    this.closeReason = null
    this.socket = new WebSocket(url)
    this.socket.binaryType = 'arraybuffer'
    this.socket.on('message', data => this.#receive(new Uint8Array(data)))
    this.socket.on('error', () => {})
    this.opened = once(this.socket, 'open')
    this.opened.catch(() => {})
    this.closed = new Promise(done => this.socket.on('close', (code, reason) => {
      this.closeCode = code
      this.closeReason = reason.toString()
      done(code)
    }))
  }

  send(...messages) {
    for (const bytes of messages) this.socket.send(bytes)
  }

  /** Several messages in one frame. */
  sendTogether(...messages) {
    this.socket.send(Buffer.concat(messages))
  }

  async sync() {
    this.send(message.syncStep1(this.doc))
    await until('the server answers sync step 1', () => this.synced || this.closeCode !== null)
  }

  async close() {
    this.socket.close()
    await within(5_000, 'the socket closes', this.closed)
  }

  #receive(bytes) {
    const decoder = decoding.createDecoder(bytes)
    while (decoding.hasContent(decoder)) {
      const type = decoding.readVarUint(decoder)
      if (type === 8) {
        const count = decoding.readVarUint(decoder)
        this.messages.push({ type, count })
        if (count === 0) this.generation = decoding.readVarUint(decoder)
        this.acknowledged += count
        continue
      }
      const kind = type === 0 ? decoding.readVarUint(decoder) : null
      const payload = decoding.readVarUint8Array(decoder)
      this.messages.push({ type, kind, payload })
      if (type === 0 && kind > 0) Y.applyUpdate(this.doc, payload, 'remote')
      if (type === 0 && kind === 1) this.synced = true
    }
  }
}

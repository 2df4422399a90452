import Y from 'ywasm'
import { root } from '../input.mjs'

/** What `read` makes of a root, whose handle lies in the memory of WebAssembly until it is freed. */
function reading(handle, read) {
  try {
    return read(handle)
  } finally {
    handle.free()
  }
}

/** See ../replica.d.ts. */
export class Replica {
  static format = 'yjs'

  #update
  #text
  #observer

  constructor(client) {
    if (client === undefined) {
      this.doc = new Y.YDoc({})
      return
    }
    this.doc = new Y.YDoc({ clientID: client })
    this.#text = this.doc.getText(root)
    this.#observer = this.doc.onUpdate(update => { this.#update = update })
  }

  free() {
    this.#observer?.free()
    this.#text?.free()
    this.doc.free()
  }

  receive(update) {
    Y.applyUpdate(this.doc, update, undefined)
  }

  receiveV2(update) {
    Y.applyUpdateV2(this.doc, update, undefined)
  }

  content(kind) {
    switch (kind) {
      case 'text': return reading(this.doc.getText(root), text => text.toString())
      case 'map': return reading(this.doc.getMap(root), map => JSON.stringify(map.toJson()))
      case 'xml': return reading(this.doc.getXmlFragment(root), fragment => fragment.toString())
      default: throw new Error(`no kind of document: ${kind}`)
    }
  }

  edit(position, deleted, inserted) {
    const transaction = this.doc.beginTransaction(undefined)
    if (deleted > 0) this.#text.delete(position, deleted, transaction)
    if (inserted !== '') this.#text.insert(position, inserted, undefined, transaction)
    transaction.commit()
    transaction.free()
    return this.#update
  }

  encode() {
    return Y.encodeStateAsUpdate(this.doc)
  }

  encodeV2() {
    return Y.encodeStateAsUpdateV2(this.doc)
  }

  version() {
    return Y.encodeStateVector(this.doc)
  }

  encodeSince(version) {
    return Y.encodeStateAsUpdate(this.doc, version)
  }
}

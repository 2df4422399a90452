import Y from 'ywasm'
import { root } from '../input.mjs'

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
      case 'text': return this.doc.getText(root).toString()
      case 'map': return JSON.stringify(this.doc.getMap(root).toJson())
      case 'xml': return this.doc.getXmlFragment(root).toString()
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

import * as Y from 'yjs'
import { root } from '../input.mjs'

/** See ../replica.d.ts. */
export class Replica {
  static format = 'yjs'

  #update

  constructor(client) {
    this.doc = new Y.Doc()
    if (client === undefined) return
    this.doc.clientID = client
    this.doc.on('update', (update, origin) => { if (origin === 'local') this.#update = update })
  }

  free() {
    this.doc.destroy()
  }

  receive(update) {
    Y.applyUpdate(this.doc, update)
  }

  receiveV2(update) {
    Y.applyUpdateV2(this.doc, update)
  }

  content(kind) {
    switch (kind) {
      case 'text': return this.doc.getText(root).toString()
      case 'map': return JSON.stringify(this.doc.getMap(root).toJSON())
      case 'xml': return this.doc.getXmlFragment(root).toString()
      default: throw new Error(`no kind of document: ${kind}`)
    }
  }

  /** Runs `change(doc)` as one transaction and answers its update. */
  change(change) {
    this.doc.transact(() => change(this.doc), 'local')
    return this.#update
  }

  edit(position, deleted, inserted) {
    return this.change(doc => {
      const text = doc.getText(root)
      if (deleted > 0) text.delete(position, deleted)
      if (inserted !== '') text.insert(position, inserted)
    })
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

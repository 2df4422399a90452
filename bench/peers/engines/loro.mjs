import { LoroDoc, VersionVector } from 'loro-crdt'
import { root } from '../input.mjs'

/** See ../replica.d.ts. What it loads is a snapshot: the quickest that Loro has for that. */
export class Replica {
  static format = 'loro'

  #update
  #text

  constructor(client) {
    this.doc = new LoroDoc()
    this.#text = this.doc.getText(root)
    if (client === undefined) return
    this.doc.setPeerId(BigInt(client))
    this.doc.subscribeLocalUpdates(update => { this.#update = update })
  }

  free() {
    this.#text.free()
    this.doc.free()
  }

  receive(update) {
    this.doc.import(update)
  }

  receiveAll(updates) {
    this.doc.importBatch(updates)
  }

  content() {
    return this.#text.toString()
  }

  edit(position, deleted, inserted) {
    if (deleted > 0) this.#text.delete(position, deleted)
    if (inserted !== '') this.#text.insert(position, inserted)
    this.doc.commit()
    return this.#update
  }

  encode() {
    return this.doc.export({ mode: 'snapshot' })
  }

  version() {
    return this.doc.oplogVersion().encode()
  }

  encodeSince(version) {
    return this.doc.export({ mode: 'update', from: VersionVector.decode(version) })
  }
}

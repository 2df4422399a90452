import { Doc } from 'diamond-types-node'

/** See ../replica.d.ts. */
export class Replica {
  static format = 'diamond-types'

  constructor(client) {
    this.doc = new Doc(client === undefined ? undefined : `client ${client}`)
  }

  free() {
    this.doc.free()
  }

  receive(update) {
    this.doc.mergeBytes(update)
  }

  load(state) {
    this.doc.free()
    this.doc = Doc.fromBytes(state)
  }

  content() {
    return this.doc.get()
  }

  edit(position, deleted, inserted) {
    const before = this.doc.getLocalVersion()
    if (deleted > 0) this.doc.del(position, deleted)
    if (inserted !== '') this.doc.ins(position, inserted)
    return this.doc.getPatchSince(before)
  }

  encode() {
    return this.doc.toBytes()
  }

  /** Of numbers that only this replica gives its changes, and others that got them in this order. */
  version() {
    return new Uint8Array(this.doc.getLocalVersion().slice().buffer)
  }

  encodeSince(version) {
    return this.doc.getPatchSince(new Uint32Array(version.slice().buffer))
  }
}

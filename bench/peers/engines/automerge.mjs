import * as Automerge from '@automerge/automerge'

const actor = client => client.toString(16).padStart(8, '0')

/** The text object has to be made by one, or each would have its own: what all begin with. */
const beginning = Automerge.getLastLocalChange(
  Automerge.change(Automerge.init({ actor: actor(0) }), { time: 0 }, doc => { doc.text = '' }))

/** See ../replica.d.ts. */
export class Replica {
  static format = 'automerge'

  constructor(client) {
    this.doc = Automerge.init(client === undefined ? undefined : { actor: actor(client) })
    this.receive(beginning)
  }

  free() {
    Automerge.free(this.doc)
  }

  /** A change, or what encodeSince() answers: several. */
  receive(update) {
    this.doc = Automerge.loadIncremental(this.doc, update)
  }

  receiveAll(updates) {
    [this.doc] = Automerge.applyChanges(this.doc, updates)
  }

  /** Takes the place of receiving a whole state. */
  load(state) {
    Automerge.free(this.doc)
    this.doc = Automerge.load(state)
  }

  content() {
    return this.doc.text
  }

  edit(position, deleted, inserted) {
    this.doc = Automerge.change(this.doc, { time: 0 },
      doc => Automerge.splice(doc, ['text'], position, deleted, inserted))
    return Automerge.getLastLocalChange(this.doc)
  }

  encode() {
    return Automerge.save(this.doc)
  }

  version() {
    return Buffer.from(JSON.stringify(Automerge.getHeads(this.doc)))
  }

  encodeSince(version) {
    return Automerge.saveSince(this.doc, JSON.parse(Buffer.from(version).toString()))
  }
}

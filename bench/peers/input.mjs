import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * An input is a folder: what all engines are measured on. FORMAT is that of the updates; there may
 * be several, each of the same edits.
 *
 *   edits            of one author: (u32 position, u32 deleted, u32 bytes, inserted as UTF-8)*
 *   trace.json       of any number of authors, for making further formats
 *   FORMAT.updates   one for each edit: (u32 bytes, update)*
 *   FORMAT.state     all of them merged
 *   FORMAT.half      the version half-way
 *   FORMAT.content   what the root "content" says in the end: the text, or XML, or JSON of a map.
 *                    Formats differ in how they order what several wrote at one place at once
 *   yjs.state2       yjs.state in update format v2
 *
 * Numbers are little-endian; positions and lengths of text are UTF-16 code units.
 */

export const root = 'content'

function fields(bytes) {
  let at = 0
  return {
    get more() { return at < bytes.length },
    number() {
      at += 4
      return bytes.readUInt32LE(at - 4)
    },
    bytes(length) {
      at += length
      return bytes.subarray(at - length, at)
    }
  }
}

/** A copy: bytes of their own, as they would come from a socket. */
const copied = bytes => new Uint8Array(bytes)

export class Input {
  /** @param {string} folder */
  constructor(folder) {
    this.folder = folder
  }

  #read(name) {
    return readFileSync(join(this.folder, name))
  }

  has(name) {
    return existsSync(join(this.folder, name))
  }

  bytes(name) {
    return copied(this.#read(name))
  }

  content(format) {
    return this.#read(`${format}.content`).toString()
  }

  trace() {
    return JSON.parse(this.#read('trace.json').toString())
  }

  updates(format) {
    const stream = fields(this.#read(`${format}.updates`))
    const updates = []
    while (stream.more) updates.push(copied(stream.bytes(stream.number())))
    return updates
  }

  edits() {
    const stream = fields(this.#read('edits'))
    const edits = []
    while (stream.more) {
      const [position, deleted, length] = [stream.number(), stream.number(), stream.number()]
      edits.push([position, deleted, stream.bytes(length).toString()])
    }
    return edits
  }
}

function number(value) {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

export const encodeUpdates = updates =>
  Buffer.concat(updates.flatMap(update => [number(update.length), update]))

export const encodeEdits = edits =>
  Buffer.concat(edits.flatMap(([position, deleted, inserted]) => {
    const text = Buffer.from(inserted)
    return [number(position), number(deleted), number(text.length), text]
  }))

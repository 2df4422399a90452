import { spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { createInterface } from 'node:readline'
import { resolve } from 'node:path'

const program = process.env.CRDT_PEER ??
  resolve(import.meta.dirname, '../../../build/release/tests/interop/crdt_peer')

export const hex = bytes => Buffer.from(bytes).toString('hex')
export const unhex = text => new Uint8Array(Buffer.from(text, 'hex'))

/** Our engine in a process of its own, which does what tests/interop/crdt_peer.cpp says. */
export class CrdtPeer {
  #process
  #lines

  constructor() {
    accessSync(program, constants.X_OK) // ninja -C build/release crdt_peer
    this.#process = spawn(program, { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#lines = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]()
  }

  /** Answers the results of the requests; throws what the first one that failed says. */
  async ask(...requests) {
    this.#process.stdin.write(JSON.stringify(requests) + '\n')
    const { value, done } = await this.#lines.next()
    if (done) throw new Error('the peer has ended')
    const results = JSON.parse(value)
    const at = results.findIndex(result => result?.error !== undefined)
    if (at !== -1) throw new Error(`${JSON.stringify(requests[at]).slice(0, 200)}: ${results[at].error}`)
    return results
  }

  close() {
    this.#process.stdin.end()
  }
}

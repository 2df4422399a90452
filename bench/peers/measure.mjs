/**
 * Times an engine of engines/ on one input; what ../crdt/main.cpp is for ours.
 *
 * usage: node --expose-gc measure.mjs ENGINE INPUT --kind KIND --cases CASE,… [--seconds S]
 *
 * Prints one line of JSON for each case when it is done: {"case", "times": [milliseconds, …]} or
 * {"case": "memory", "bytes"}. What was made is checked; the exit status is 1 when it is wrong.
 *
 * The collector is called where memory is measured and nowhere else: before each run it would also
 * throw away what the compiler has learned, and make JavaScript several times slower.
 */

import { parseArgs } from 'node:util'
import { Input } from './input.mjs'
import { receiveAll } from './prepare.mjs'

const fewestRuns = 3
const mostRuns = 1000
/** A case that takes this many times as long as it is to be tried for is tried once. */
const tooLongToRepeat = 5
/** Memory is that of several small documents, since WebAssembly takes it in pages of 64 KiB. */
const documentsHeld = state => state.length < 1e7 ? 8 : 1

function check(isRight, what) {
  if (!isRight) throw new Error(`wrong result: ${what}`)
}

/** Processor time of each run, in milliseconds. `work` answers what `verify` looks at, untimed. */
function measure(work, verify, seconds) {
  const once = () => {
    const begin = process.cpuUsage()
    const result = work()
    const { user, system } = process.cpuUsage(begin)
    verify(result)
    return (user + system) / 1000
  }
  const warmAt = performance.now() + seconds * 250
  const first = once()
  if (first > seconds * 1000 * tooLongToRepeat) return [first]
  while (performance.now() < warmAt) once()

  const times = []
  const doneAt = performance.now() + seconds * 1000
  while (times.length < fewestRuns || (performance.now() < doneAt && times.length < mostRuns)) {
    times.push(once())
  }
  return times
}

function heldBytes() {
  for (let i = 0; i < 3; i++) globalThis.gc()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

class Bench {
  constructor(Replica, input, kind, seconds) {
    this.Replica = Replica
    this.input = input
    this.kind = kind
    this.seconds = seconds
    this.content = input.content(Replica.format)
    this.state = input.bytes(`${Replica.format}.state`)
  }

  #fresh(receive) {
    const replica = new this.Replica()
    receive(replica)
    return replica
  }

  #load(state = this.state) {
    return this.#fresh(replica => replica.load === undefined
      ? replica.receive(state)
      : replica.load(state))
  }

  /** A document made and read in the time that counts, then checked and let go. */
  #reading(make) {
    const work = () => {
      const replica = make()
      return { replica, content: replica.content(this.kind) }
    }
    const verify = ({ replica, content }) => {
      replica.free()
      check(content === this.content, `the ${this.kind}`)
    }
    return { times: measure(work, verify, this.seconds) }
  }

  apply() {
    const updates = this.input.updates(this.Replica.format)
    return this.#reading(() => this.#fresh(replica => {
      for (const update of updates) replica.receive(update)
    }))
  }

  load() {
    return this.#reading(() => this.#load())
  }

  load_v2() {
    const state = this.input.bytes(`${this.Replica.format}.state2`)
    return this.#reading(() => this.#fresh(replica => replica.receiveV2(state)))
  }

  local() {
    const edits = this.input.edits()
    return this.#reading(() => {
      const replica = new this.Replica(1)
      let bytes = 0
      for (const edit of edits) bytes += replica.edit(...edit).length
      check(bytes > edits.length, 'no updates')
      return replica
    })
  }

  encode() {
    const loaded = this.#load()
    const encoded = loaded.encode()
    const copy = this.#load(encoded)
    check(copy.content(this.kind) === this.content, `the ${this.kind} of the encoded state`)
    copy.free()
    const times = measure(() => loaded.encode(),
      state => check(state.length === encoded.length, 'the state'), this.seconds)
    loaded.free()
    return { times }
  }

  diff() {
    const version = this.input.bytes(`${this.Replica.format}.half`)
    const updates = this.input.updates(this.Replica.format)
    const loaded = this.#load()
    const difference = loaded.encodeSince(version)
    const half = this.#fresh(replica => {
      receiveAll(replica, updates.slice(0, Math.floor(updates.length / 2)))
      replica.receive(difference)
    })
    check(half.content(this.kind) === this.content, `the ${this.kind} after the difference`)
    half.free()
    const times = measure(() => loaded.encodeSince(version),
      bytes => check(bytes.length === difference.length, 'the difference'), this.seconds)
    loaded.free()
    return { times }
  }

  memory() {
    // What has been read cannot be what an engine has put off building.
    const loadAndRead = () => {
      const replica = this.#load()
      check(replica.content(this.kind) === this.content, `the ${this.kind}`)
      return replica
    }
    // After one load for warming up, so that code that is compiled by the way does not count.
    const first = loadAndRead()
    const before = heldBytes()
    const replicas = Array.from({ length: documentsHeld(this.state) }, loadAndRead)
    const bytes = (heldBytes() - before) / replicas.length
    for (const replica of [first, ...replicas]) replica.free() // and alive until here
    return { bytes }
  }
}

const { values, positionals: [engine, folder] } = parseArgs({
  allowPositionals: true,
  options: {
    kind: { type: 'string' },
    cases: { type: 'string' },
    seconds: { type: 'string', default: '1' }
  }
})
const { Replica } = await import(`./engines/${engine}.mjs`)
const bench = new Bench(Replica, new Input(folder), values.kind, Number(values.seconds))
for (const name of values.cases.split(',')) {
  console.log(JSON.stringify({ case: name, ...bench[name]() }))
}

/**
 * Times Yjs on one prepared input; the other side of crdt_bench.cpp, which says what an input is.
 *
 * usage: node --expose-gc yjs-bench.mjs INPUT [--seconds S]
 *
 * The collector is called where memory is measured and nowhere else: before each run it would also
 * throw away what the compiler has learned, and make Yjs several times slower.
 */

import { readFileSync } from 'node:fs'
import * as Y from 'yjs'

const root = 'content'
const fewestRuns = 3
const mostRuns = 1000

function readInput(path) {
  const stream = readFileSync(`${path}.updates`)
  const updates = []
  for (let at = 0; at < stream.length;) {
    const length = stream.readUInt32LE(at)
    updates.push(new Uint8Array(stream.buffer, stream.byteOffset + at + 4, length))
    at += 4 + length
  }
  return {
    updates,
    state: new Uint8Array(readFileSync(`${path}.state`)),
    half: new Uint8Array(readFileSync(`${path}.half`)),
    text: readFileSync(`${path}.txt`, 'utf8')
  }
}

function check(isRight, what) {
  if (!isRight) throw new Error(`wrong result: ${what}`)
}

function apply(updates) {
  const doc = new Y.Doc()
  for (const update of updates) Y.applyUpdate(doc, update)
  return doc
}

const read = doc => doc.getText(root).toString()

/** Processor time of each run, in milliseconds, as crdt_bench takes it. */
function measure(work, verify, seconds) {
  const once = () => {
    const begin = process.cpuUsage()
    const result = work()
    const { user, system } = process.cpuUsage(begin)
    const time = (user + system) / 1000
    verify(result)
    return time
  }
  const warmAt = performance.now() + seconds * 250
  do once()
  while (performance.now() < warmAt)

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

/** After one load for warming up, so that code that is compiled by the way does not count. */
function memoryOf(state, text) {
  check(read(apply([state])) === text, 'the text')
  const before = heldBytes()
  const doc = apply([state])
  const after = heldBytes()
  check(doc.store.clients.size > 0, 'the document is empty') // and is alive until here
  return after - before
}

function checkedDifference({ updates, half, state, text }, loaded) {
  const difference = Y.encodeStateAsUpdate(loaded, half)
  check(difference.length < state.length, 'the difference is all there is')
  const doc = apply(updates.slice(0, Math.floor(updates.length / 2)))
  Y.applyUpdate(doc, difference)
  check(read(doc) === text, 'the text after the difference')
  return difference
}

function run(path, seconds) {
  const input = readInput(path)
  const memory = memoryOf(input.state, input.text)
  const loaded = apply([input.state])
  const difference = checkedDifference(input, loaded)

  const isText = text => check(text === input.text, 'the text')
  const isBytes = expected => bytes => check(Buffer.compare(bytes, expected) === 0, 'the bytes')
  const times = {
    load: measure(() => read(apply([input.state])), isText, seconds),
    encode: measure(() => Y.encodeStateAsUpdate(loaded), isBytes(input.state), seconds),
    diff: measure(() => Y.encodeStateAsUpdate(loaded, input.half), isBytes(difference), seconds),
    apply: measure(() => read(apply(input.updates)), isText, seconds)
  }
  console.log(JSON.stringify({ memory, times }))
}

const [path, flag, value] = process.argv.slice(2)
if (path === undefined || (flag !== undefined && flag !== '--seconds')) {
  console.error('usage: node --expose-gc yjs-bench.mjs INPUT [--seconds S]')
  process.exit(2)
}
run(path, Number(value ?? 2))

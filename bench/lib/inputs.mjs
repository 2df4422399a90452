import { createHash } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { yjs as Y } from './peers.mjs'
import { syntheticTrace } from './synthetic.mjs'

/**
 * What the CRDT cases are measured on: a trace, replayed through Yjs into one update per edit, as
 * the editors of its authors would have sent them.
 */

export const traceNames = ['automerge-paper', 'friendsforever', 'sveltecomponent', 'json-crdt-patch']

const root = 'content'

/** One editor: applies patches, and tells what update each of them made. */
class Replica {
  /**
   * @param {number} client small, as in published measurements of these traces; real ids are
   *   random and take five bytes
   * @param {boolean} countsCodePoints the trace has characters that are two units of UTF-16
   */
  constructor(client, countsCodePoints) {
    this.doc = new Y.Doc()
    this.doc.clientID = client
    this.text = this.doc.getText(root)
    this.countsCodePoints = countsCodePoints
    this.made = []
    this.doc.on('update', (update, origin) => { if (origin === 'local') this.made.push(update) })
  }

  /** The updates of one transaction of the trace: one for each patch that does anything. */
  edit(patches) {
    this.made = []
    for (const [position, deleted, inserted] of patches) {
      const [begin, end] = this.utf16Range(position, position + deleted)
      this.doc.transact(() => {
        if (end > begin) this.text.delete(begin, end - begin)
        if (inserted !== '') this.text.insert(begin, inserted)
      }, 'local')
    }
    return this.made
  }

  utf16Range(begin, end) {
    if (!this.countsCodePoints) return [begin, end]
    const points = Array.from(this.text.toString())
    const units = (from, to) => points.slice(from, to).join('').length
    const first = units(0, begin)
    return [first, first + units(begin, end)]
  }
}

const hasSurrogates = text => /[\ud800-\udfff]/.test(text)

/** The updates of a trace, in an order in which a server could have received them. */
function replay(trace) {
  const countsCodePoints = hasSurrogates(trace.startContent ?? '') ||
    trace.txns.some(({ patches }) => patches.some(patch => hasSurrogates(patch[2])))
  const replicas = Array.from({ length: trace.numAgents ?? 1 },
    (_, agent) => new Replica(agent + 1, countsCodePoints))

  const updates = []
  const updatesOf = [] // transaction → its updates
  const knows = replicas.map(() => new Set()) // replica → transactions
  if (trace.startContent) updates.push(...replicas[0].edit([[0, 0, trace.startContent]]))

  trace.txns.forEach(({ agent = 0, parents, patches }, index) => {
    const replica = replicas[agent]
    for (const missing of unknownAncestors(trace, parents ?? [], knows[agent])) {
      for (const update of updatesOf[missing]) Y.applyUpdate(replica.doc, update, 'remote')
      knows[agent].add(missing)
    }
    updatesOf[index] = replica.edit(patches)
    knows[agent].add(index)
    updates.push(...updatesOf[index])
  })
  return updates
}

/** Oldest first: a transaction comes after its parents in a trace. */
function unknownAncestors(trace, parents, known) {
  const found = new Set()
  const stack = [...parents]
  while (stack.length > 0) {
    const index = stack.pop()
    if (known.has(index) || found.has(index)) continue
    found.add(index)
    stack.push(...(trace.txns[index].parents ?? []))
  }
  return [...found].sort((a, b) => a - b)
}

function framed(updates) {
  return Buffer.concat(updates.flatMap(update => {
    const length = Buffer.alloc(4)
    length.writeUInt32LE(update.length)
    return [length, update]
  }))
}

async function write(path, trace) {
  const updates = replay(trace)
  const server = new Y.Doc()
  const halfWay = Math.floor(updates.length / 2)
  for (const update of updates.slice(0, halfWay)) Y.applyUpdate(server, update)
  const half = Y.encodeStateVector(server)
  for (const update of updates.slice(halfWay)) Y.applyUpdate(server, update)
  const text = server.getText(root).toString()
  if (trace.endContent !== undefined && trace.endContent !== text) {
    throw new Error(`${path}: Yjs makes another text of this trace than it ends with`)
  }
  await writeFile(`${path}.updates`, framed(updates))
  await writeFile(`${path}.state`, Y.encodeStateAsUpdate(server))
  await writeFile(`${path}.half`, half)
  await writeFile(`${path}.txt`, text)
}

/** Writes the files of one input, unless they are there and of the same trace. */
async function prepare(folder, name, traceBytes, parse) {
  const path = join(folder, name)
  const program = await readFile(new URL(import.meta.url))
  const key = createHash('sha256').update(program).update(traceBytes).digest('hex')
  const known = await readFile(`${path}.key`, 'utf8').catch(() => '')
  if (known !== key) {
    console.error(`preparing ${name}`)
    await write(path, parse())
    await writeFile(`${path}.key`, key)
  }
  return { name, path }
}

/**
 * Makes the inputs of the CRDT cases in `folder`, from the traces in `traces`, or without those
 * from typing made up for it.
 *
 * @returns {Promise<{ name: string, path: string }[]>}
 */
export async function prepareInputs(folder, traces, quick) {
  await mkdir(folder, { recursive: true })
  if (traces === undefined) {
    const edits = quick ? 20_000 : 100_000
    const name = `synthetic-${edits}`
    return [await prepare(folder, name, String(edits), () => syntheticTrace(edits))]
  }
  const inputs = []
  for (const name of quick ? ['sveltecomponent', 'friendsforever'] : traceNames) {
    const bytes = await readFile(join(traces, `${name}.json.gz`))
    inputs.push(await prepare(folder, name, bytes, () => JSON.parse(gunzipSync(bytes))))
  }
  return inputs
}

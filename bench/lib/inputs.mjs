import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { Replica } from '../peers/engines/yjs.mjs'
import { encodeEdits, root } from '../peers/input.mjs'
import { writeFormat } from '../peers/prepare.mjs'
import { authors, editsOf, replay } from '../peers/replay.mjs'
import { separated } from './format.mjs'
import { workFolder } from './paths.mjs'
import { yjs as Y } from './peers.mjs'
import * as synthetic from './synthetic.mjs'

/**
 * What the CRDT is measured on (../peers/input.mjs says what an input is), made once by Yjs.
 *
 * @typedef {object} InputPlan
 * @property {string} name
 * @property {'text' | 'map' | 'xml'} kind
 * @property {'trace' | 'constructed' | 'large'} group
 * @property {string} title for people
 * @property {boolean} hasTrace it can be made in the formats of other engines
 * @property {string} key changes when the input would
 * @property {(folder: string) => void} make
 *
 * @typedef {InputPlan & { folder: string }} PreparedInput
 * @typedef {{ input: PreparedInput, tenth?: PreparedInput }} Measured
 *   `tenth`: the same with a tenth of the edits, for how the time grows
 */

export const traceNames = ['automerge-paper', 'friendsforever', 'sveltecomponent', 'json-crdt-patch']
const largeName = 'automerge-paper'
const largeTimes = 100

const readTrace = (folder, name) => readFileSync(join(folder, `${name}.json.gz`))

function parseTrace(bytes) {
  const json = gunzipSync(bytes).toString()
  // Such a trace counts code points, where the engines count units of UTF-16.
  if (/[\ud800-\udfff]/.test(json)) throw new Error('traces with characters above U+FFFF are not known here')
  return JSON.parse(json)
}

function writeTrace(folder, trace) {
  const updates = replay(trace, Replica)
  const content = writeFormat(folder, Replica, updates, 'text')
  if (content !== (trace.endContent ?? content)) throw new Error('another text than the trace ends with')
  writeFileSync(join(folder, 'trace.json'), JSON.stringify(trace))
  if (authors(trace) === 1) writeFileSync(join(folder, 'edits'), encodeEdits(editsOf(trace)))
}

/** @returns {InputPlan} */
function fromTrace(name, group, title, key, makeTrace) {
  return {
    name, kind: 'text', group, title, hasTrace: true, key,
    make: folder => writeTrace(folder, makeTrace())
  }
}

function xmlChildren(count) {
  const replica = new Replica(1)
  const names = ['p', 'h1', 'h2', 'li']
  return Array.from({ length: count }, (_, i) => replica.change(doc => {
    doc.getXmlFragment(root).push([new Y.XmlElement(names[i % names.length])])
  }))
}

const oneMapKey = clients => Array.from({ length: clients }, (_, client) =>
  new Replica(client + 1).change(doc => doc.getMap(root).set('title', `by client ${client}`)))

/** The same edits again and again in one document, each time before what is there. */
function writeLarge(folder, trace) {
  const edits = editsOf(trace)
  const replica = new Replica(1)
  for (let i = 0; i < largeTimes; i++) {
    replica.change(doc => {
      const text = doc.getText(root)
      for (const [position, deleted, inserted] of edits) {
        if (deleted > 0) text.delete(position, deleted)
        if (inserted !== '') text.insert(position, inserted)
      }
    })
  }
  const content = replica.content('text')
  if (content !== trace.endContent.repeat(largeTimes)) throw new Error('another text than expected')
  writeFileSync(join(folder, 'yjs.content'), content)
  writeFileSync(join(folder, 'yjs.state'), replica.encode())
  writeFileSync(join(folder, 'yjs.state2'), replica.encodeV2())
}

const constructedText = (name, title, makeTrace) => size =>
  fromTrace(`${name}-${size}`, 'constructed', `${separated(size)} ${title}`, '', () => makeTrace(size))

const constructedUpdates = (name, kind, title, makeUpdates) => size => ({
  name: `${name}-${size}`,
  kind,
  group: 'constructed',
  title: `${separated(size)} ${title}`,
  hasTrace: false,
  key: '',
  make: folder => { writeFormat(folder, Replica, makeUpdates(size), kind) }
})

/** @type {{ size: number, plan: (size: number) => InputPlan }[]} */
const constructed = [
  {
    size: 100_000,
    plan: constructedText('random-inserts', 'characters, each at a random place', synthetic.randomInserts)
  },
  {
    size: 100_000,
    plan: constructedText('prepends', 'characters, each before all others', synthetic.prepends)
  },
  {
    size: 20_000,
    plan: constructedText('concurrent-runs', 'words by each of two at once', synthetic.concurrentRuns)
  },
  {
    size: 2_500,
    plan: constructedText('branches', 'edits in each of 8 branches', synthetic.branches)
  },
  { size: 20_000, plan: constructedUpdates('xml-children', 'xml', 'XML children', xmlChildren) },
  { size: 2_000, plan: constructedUpdates('map-key', 'map', 'clients setting one map key', oneMapKey) },
  {
    size: 5_000,
    plan: constructedText('flood-insert', 'clients inserting one character at one place',
      clients => synthetic.flood(clients, 1))
  },
  {
    size: 200,
    plan: constructedText('flood-prepend', 'clients prepending 100 characters each at one place',
      clients => synthetic.flood(clients, 100))
  }
]

/** @returns {InputPlan[]} */
function tracePlans(traces, quick) {
  if (traces === undefined) {
    const edits = quick ? 20_000 : 100_000
    return [fromTrace(`synthetic-${edits}`, 'trace', `made-up typing`, '', () => synthetic.syntheticTrace(edits))]
  }
  return (quick ? ['sveltecomponent', 'friendsforever'] : traceNames).map(name => {
    const bytes = readTrace(traces, name)
    return fromTrace(name, 'trace', name, hash(bytes), () => parseTrace(bytes))
  })
}

/** @returns {InputPlan} */
function largePlan(traces) {
  const bytes = readTrace(traces, largeName)
  return {
    name: `${largeName}-${largeTimes}`,
    kind: 'text',
    group: 'large',
    title: `${largeTimes} times ${largeName}`,
    hasTrace: false,
    key: hash(bytes),
    make: folder => writeLarge(folder, parseTrace(bytes))
  }
}

export function hash(...parts) {
  const state = createHash('sha256')
  for (const part of parts) state.update(part)
  return state.digest('hex')
}

const here = fileURLToPath(new URL('.', import.meta.url))
/** Of all that an input depends on besides its plan. */
const programKey = hash(...['inputs.mjs', 'synthetic.mjs', '../peers/engines/yjs.mjs', '../peers/input.mjs',
  '../peers/prepare.mjs', '../peers/replay.mjs', '../peers/package-lock.json'].map(name => readFileSync(join(here, name))))

/**
 * Makes the files of an input, unless they are there and what it would make.
 *
 * @param {InputPlan} plan
 * @returns {PreparedInput}
 */
function prepare(plan) {
  const folder = join(workFolder, 'inputs', plan.name)
  const key = hash(programKey, plan.key)
  const keyFile = join(folder, 'key')
  if (!existsSync(keyFile) || readFileSync(keyFile, 'utf8') !== key) {
    console.error(`preparing ${plan.title}`)
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder, { recursive: true })
    plan.make(folder)
    writeFileSync(keyFile, key)
  }
  return { ...plan, folder }
}

/** @returns {PreparedInput[]} */
export const prepareTraces = ({ traces, quick }) => tracePlans(traces, quick).map(prepare)
/** The first trace, or typing that is made up instead. */
export const prepareFirstTrace = ({ traces, quick }) => prepare(tracePlans(traces, quick)[0])

/** The inputs of the CRDT cases. Without recorded traces there is typing made up instead. */
export function prepareInputs({ traces, quick, large }) {
  return [
    ...prepareTraces({ traces, quick }).map(input => ({ input })),
    ...constructed.map(({ size, plan }) => {
      const full = quick ? size / 10 : size
      return { input: prepare(plan(full)), tenth: prepare(plan(full / 10)) }
    }),
    ...(large ? [{ input: prepare(largePlan(traces)) }] : [])
  ]
}

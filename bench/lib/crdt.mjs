import { spawn } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { once } from 'node:events'
import { join } from 'node:path'
import { Input } from '../peers/input.mjs'
import { engines, hasNative, ours, yjs, yrs } from './engines.mjs'
import { hash, prepareInputs } from './inputs.mjs'
import { pinned } from './machine.mjs'
import { peersFolder } from './peers.mjs'
import { summarize } from './statistics.mjs'

/**
 * The CRDT by itself, beside others, on the same edits and the same core.
 *
 * @typedef {import('./statistics.mjs').Summary & { decoding?: import('./statistics.mjs').Summary } |
 *   { bytes: number } | { over: number } | { failed: true }} Figure
 *   `decoding`: only that, by turns with the rest; `over`: not done within that many seconds of
 *   processor time
 * @typedef {Record<string, Record<string, Figure>>} Figures engine → case → figure
 * @typedef {object} CrdtResult
 * @property {{ id: string, label: string, isDrawn: boolean }[]} engines
 * @property {string} ours ids of those that everything is compared with
 * @property {string} yrs
 * @property {string} yjs
 * @property {boolean} hasNative
 * @property {{ name: string, title: string, group: string, updates: number, figures: Figures, tenth?: Figures }[]} results
 *   `tenth`: with a tenth of the edits
 */

const core = 1
/** As Linux has it for programs, whatever the kernel counts in. */
const ticksPerSecond = 100
/**
 * glibc gives memory back to the system and asks for it again, for each document or for none,
 * depending on what came before: half of the time of loading one, or nothing. Here nobody does.
 */
const environment = {
  ...process.env,
  MALLOC_MMAP_THRESHOLD_: String(32 << 20),
  MALLOC_TRIM_THRESHOLD_: String(2 ** 40)
}
/** Seconds of processor time for the input of an engine with a format of its own. */
const limitOfPreparing = 60

const casesOf = {
  trace: ['memory', 'apply', 'load', 'load_v2', 'encode', 'diff', 'local'],
  constructed: ['apply', 'load'],
  large: ['memory', 'load', 'load_v2']
}

function countUpdates({ folder }) {
  const input = new Input(folder)
  return input.has('yjs.updates') ? input.updates('yjs').length : Infinity
}

/** Processor time of a process so far, in seconds; what it cannot tell any more is no time. */
function processorSeconds(pid) {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ')
    return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
  } catch {
    return 0
  }
}

/**
 * Runs a program until it ends, or says nothing for `limit` seconds of processor time.
 *
 * @returns {Promise<'done' | 'failed' | 'over'>}
 */
async function runWithin(limit, [command, ...args], takeLine = () => {}) {
  const [pinnedCommand, pinnedArgs] = pinned(core, command, args)
  const child = spawn(pinnedCommand, pinnedArgs, { stdio: ['ignore', 'pipe', 'inherit'], env: environment })
  const exited = once(child, 'exit')
  let begin = 0
  let isOver = false
  const watch = setInterval(() => {
    if (isOver || processorSeconds(child.pid) - begin <= limit) return
    isOver = true
    child.kill('SIGKILL')
  }, 500)
  for await (const line of createInterface({ input: child.stdout })) {
    begin = processorSeconds(child.pid)
    takeLine(line)
  }
  const [status] = await exited
  clearInterval(watch)
  if (isOver) return 'over'
  return status === 0 ? 'done' : 'failed'
}

/** Each case, whatever becomes of those before it. */
async function runCases(engine, input, cases, { seconds, limit }) {
  const figures = {}
  const take = line => {
    const { case: name, times, bytes, decoding } = JSON.parse(line)
    figures[name] = times === undefined ? { bytes } : summarize(times)
    if (decoding !== undefined) figures[name].decoding = summarize(decoding)
  }
  const left = () => cases.filter(name => figures[name] === undefined)
  while (left().length > 0) {
    const command = [...engine.command, input.folder,
      '--kind', input.kind, '--cases', left().join(','), '--seconds', String(seconds)]
    const ending = await runWithin(limit, command, take)
    if (ending === 'over') {
      figures[left()[0]] = { over: limit }
    } else if (left().length > 0) {
      if (engine === ours) throw new Error(`${engine.label} failed at ${left()[0]} of ${input.name}`)
      figures[left()[0]] = { failed: true }
    }
  }
  return figures
}

/**
 * Makes an input in a format of others, unless it is there or was tried.
 *
 * @returns {Promise<boolean>} whether it is there
 */
async function prepareFormat(input, format) {
  const keyFile = join(input.folder, `${format}.key`)
  const engineFile = join(peersFolder, 'engines', `${format}.mjs`)
  const key = hash(readFileSync(join(input.folder, 'key')), readFileSync(engineFile))
  const [knownKey, outcome] = existsSync(keyFile) ? readFileSync(keyFile, 'utf8').split('\n') : []
  if (knownKey === key) return outcome === 'made'
  console.error(`preparing ${input.title} for ${format}`)
  const isMade = 'done' === await runWithin(limitOfPreparing,
    ['node', '--max-old-space-size=8192', join(peersFolder, 'prepare.mjs'), format, input.folder])
  writeFileSync(keyFile, `${key}\n${isMade ? 'made' : 'not made'}\n`)
  return isMade
}

function canDo(engine, input, name) {
  const has = file => existsSync(join(input.folder, file))
  switch (name) {
    case 'load_v2': return engine.hasV2
    case 'local': return has('edits')
    case 'diff': return has(`${engine.format}.half`)
    default: return true
  }
}

function wantedCases(engine, input) {
  return casesOf[input.group].filter(name => canDo(engine, input, name))
}

/**
 * Measures engines on inputs, the smaller ones first: an engine that was over the limit with few
 * edits is not tried with more of that group.
 */
class Measuring {
  #options
  #gaveUp = new Set() // of group, engine and case

  constructor(options) {
    this.#options = options
  }

  async #figures(engine, input) {
    const idOf = name => `${input.group} ${engine.id} ${name}`
    const cases = wantedCases(engine, input).filter(name => !this.#gaveUp.has(idOf(name)))
    if (engine.format !== 'yjs') {
      if (!input.hasTrace) return {}
      if (!await prepareFormat(input, engine.format)) return {}
    }
    if (cases.length === 0) return {}
    console.error(`measuring ${input.title}: ${engine.label}`)
    const limit = engine.isReference ? this.#options.limitOfReferences : this.#options.limit
    // Memory in a process of its own: what it holds and lets go of makes some engines slower after.
    const processes = [cases.filter(name => name === 'memory'), cases.filter(name => name !== 'memory')]
    const figures = {}
    for (const names of processes) {
      Object.assign(figures, await runCases(engine, input, names, { seconds: this.#options.seconds, limit }))
    }
    for (const [name, { over }] of Object.entries(figures)) {
      if (over !== undefined && !engine.isReference) this.#gaveUp.add(idOf(name))
    }
    return figures
  }

  /** @returns {Promise<Figures>} */
  async input(input, chosen) {
    const figures = {}
    for (const engine of chosen) figures[engine.id] = await this.#figures(engine, input)
    return figures
  }
}

/** @returns {Promise<CrdtResult>} */
export async function measureCrdt({ traces, quick, large }) {
  const chosen = engines(quick)
  const measuring = new Measuring(quick
    ? { seconds: 0.05, limit: 5, limitOfReferences: 5 }
    : { seconds: 0.5, limit: 15, limitOfReferences: 60 })
  const results = prepareInputs({ traces, quick, large })
    .map(({ input, tenth }) => ({ input, tenth, updates: countUpdates(input) }))
  for (const result of [...results].sort((a, b) => a.updates - b.updates)) {
    result.figures = await measuring.input(result.input, chosen)
    if (result.tenth) result.figuresOfTenth = await measuring.input(result.tenth, quick ? [ours] : [ours, yrs, yjs])
  }
  return {
    engines: chosen.map(({ id, label, isTwin = false }) => ({ id, label, isDrawn: !isTwin })),
    ours: ours.id,
    yrs: yrs.id,
    yjs: yjs.id,
    hasNative,
    results: results.map(({ input: { name, title, group }, updates, figures, figuresOfTenth }) =>
      ({ name, title, group, updates, figures, tenth: figuresOfTenth }))
  }
}

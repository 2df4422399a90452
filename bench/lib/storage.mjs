import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Input } from '../peers/input.mjs'
import { effective } from '../peers/replay.mjs'
import { prepareTraces } from './inputs.mjs'
import { pinned } from './machine.mjs'
import { root, storageBench, workFolder } from './paths.mjs'
import { summarize } from './statistics.mjs'

/**
 * What the whole history of a document takes on disk, its checkpoint apart.
 *
 * @typedef {object} StorageResult
 * @property {string} title
 * @property {boolean} hasRealTimes else 120 ms lie between two updates
 * @property {number} updates
 * @property {number} rawBytes of all updates, each with its length in four bytes
 * @property {number} historyBytes whole pages of the database
 * @property {number} packMilliseconds in the background, from first to last
 * @property {number} indexBytes of full-text search, over what it says and ever said
 * @property {{first: number, again: number}} indexMilliseconds in the background; of a change later
 * @property {import('./statistics.mjs').Summary} open until the document can be served, in milliseconds
 * @property {import('./statistics.mjs').Summary} read all of it, in milliseconds
 * @property {{ yLeveldb: number | null, hocuspocus: number | null }} peers bytes of their stores for
 *   the same updates; null: what it takes to measure is not here
 */

const core = 1
/** Those that were recorded with the time of each key. */
const withRealTimes = ['json-crdt-patch']
const measuredTraces = ['automerge-paper', 'json-crdt-patch']

/** When each update of a trace came, as storage_bench reads it. */
function writeTimes(input) {
  const { startContent, txns } = new Input(input.folder).trace()
  const start = startContent ? [txns[0].time] : []
  const times = [...start, ...txns.flatMap(({ time, patches }) => effective(patches).map(() => time))]
  const path = join(input.folder, 'times')
  writeFileSync(path, BigInt64Array.from(times, time => BigInt(Date.parse(time))))
  return path
}

function measurePeers(input) {
  const peers = JSON.parse(execFileSync(process.execPath,
    [join(root, 'bench/peers/stores.mjs'), input.folder], { encoding: 'utf8' }))
  if (peers.yLeveldb === null) console.error('skipped: y-leveldb is not installed in bench/peers')
  if (peers.hocuspocus === null) console.error('skipped: sql.js, to make the store of Hocuspocus with, is not installed in bench/peers')
  return peers
}

/** @returns {StorageResult} */
function measure(input) {
  console.error(`measuring the history of ${input.title}`)
  const hasRealTimes = withRealTimes.includes(input.name)
  const store = mkdtempSync(join(workFolder, 'history-'))
  try {
    const times = hasRealTimes ? ['--times', writeTimes(input)] : []
    const output = execFileSync(...pinned(core, storageBench, [input.folder, '--store', store, ...times]),
      { encoding: 'utf8' })
    const { times: read, openTimes, ...figures } = JSON.parse(output)
    return { title: input.title, hasRealTimes, ...figures, open: summarize(openTimes), read: summarize(read), peers: measurePeers(input) }
  } finally {
    rmSync(store, { recursive: true })
  }
}

/** @returns {StorageResult[]} */
export function measureStorage({ traces, quick }) {
  const inputs = prepareTraces({ traces, quick })
  const chosen = inputs.filter(({ name }) => measuredTraces.includes(name))
  return (chosen.length > 0 ? chosen : inputs).map(measure)
}

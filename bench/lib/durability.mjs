import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { withWorkFolder } from './folders.mjs'
import { summarizeRuns, underLoad } from './load.mjs'
import { durabilityBench } from './paths.mjs'
import { startPalimpsest } from './servers.mjs'
import { summarize } from './statistics.mjs'

/**
 * What it costs that saved means on disk.
 *
 * @typedef {object} DurabilityResult
 * @property {Record<string, import('./statistics.mjs').Summary>} written of durability_bench
 * @property {Record<string, import('./statistics.mjs').Summary>} acknowledged of load, at `rate`
 * @property {number} rate
 * @property {number} documents of the store with which a server is started
 * @property {import('./statistics.mjs').Summary} restart in milliseconds, until it is ready
 */

const typing = { shape: { documents: 10, clients: 4, writers: 2 }, acks: true, rate: 1000 }

const writeOnce = seconds => withWorkFolder('durability-', folder => JSON.parse(execFileSync(durabilityBench,
  ['--store', join(folder, 'new'), '--seconds', String(seconds)], { encoding: 'utf8' })))

const measureRestart = (documents, repetitions) => withWorkFolder('restart-', async folder => {
  const data = join(folder, 'data')
  execFileSync(durabilityBench, ['--store', data, '--fill', String(documents)])
  const times = []
  for (let i = 0; i < repetitions; i++) {
    const begin = performance.now()
    const server = await startPalimpsest({ data, until: 'ready' })
    times.push(performance.now() - begin)
    await server.stop()
  }
  return summarize(times)
})

/** @returns {Promise<DurabilityResult>} */
export async function measureDurability({ quick }) {
  const repetitions = quick ? 1 : 5
  const documents = quick ? 1000 : 10000
  console.error('measuring what comes to disk')
  const written = []
  const acknowledged = []
  for (let i = 0; i < repetitions; i++) {
    written.push(await writeOnce(quick ? 0.5 : 5))
    acknowledged.push(await underLoad(startPalimpsest, { ...typing, warmUp: 1, seconds: quick ? 1 : 10 }))
  }
  console.error(`measuring a start with ${documents} documents`)
  const restart = await measureRestart(documents, repetitions)
  return {
    written: summarizeRuns(written),
    acknowledged: summarizeRuns(acknowledged),
    rate: typing.rate,
    documents,
    restart
  }
}

import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { withWorkFolder } from './folders.mjs'
import { separated } from './format.mjs'
import { prepareFirstTrace } from './inputs.mjs'
import { pinned } from './machine.mjs'
import { historyBench } from './paths.mjs'

/** A document's past: opened from its log, and asked about. Processor times in milliseconds. */

const core = 1

const run = args => withWorkFolder('history-', async folder => {
  const [command, pinnedArgs] = pinned(core, historyBench, [...args.map(String), '--store', join(folder, 'data')])
  const { stdout } = await promisify(execFile)(command, pinnedArgs)
  return JSON.parse(stdout)
})

/** @returns {Promise<{ title: string, figures: object }[]>} */
export async function measureHistory({ traces, quick }) {
  const trace = prepareFirstTrace({ traces, quick })
  console.error(`measuring the history: ${trace.title}`)
  const recorded = await run(['--updates', join(trace.folder, 'yjs.updates'),
    '--phrase', 'algorithm', 'operational transformation', 'the', 'ing '])
  const [updates, authors] = [quick ? 50_000 : 1_000_000, 20]
  console.error(`measuring the history: ${separated(updates)} updates by ${authors} authors`)
  const madeUp = await run(['--made-up', updates, '--authors', authors,
    '--phrase', 'palimpsest', 'history of the', 'every keystroke can', 'the '])
  return [
    { title: trace.title, figures: recorded },
    { title: `${separated(updates)} updates, ${authors} authors`, figures: madeUp }
  ]
}

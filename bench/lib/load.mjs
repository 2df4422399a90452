import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { pinned } from './machine.mjs'
import { load } from './paths.mjs'
import { summarize } from './statistics.mjs'

/** Servers under load. */

const loadCore = 1

function modeArguments({ within, rate, window }) {
  if (within !== undefined) return ['--within', within]
  return rate !== undefined ? ['--rate', rate] : ['--window', window]
}

/** What `load` measures of one server, which is there for that only. */
export async function underLoad(startServer, { shape, within, rate, window, warmUp, seconds, acks }) {
  const server = await startServer()
  try {
    const [command, args] = pinned(loadCore, load, [
      '--port', server.port, '--pid', server.pid, '--name', 'bench-',
      '--documents', shape.documents, '--clients', shape.clients, '--writers', shape.writers,
      '--warm-up', warmUp, '--seconds', seconds, ...modeArguments({ within, rate, window }),
      ...acks ? ['--acks'] : []
    ].map(String))
    const { stdout } = await promisify(execFile)(command, args)
    const [measured] = JSON.parse(stdout)
    return { ...measured, serverSecondsPerDelivery: measured.serverCores / measured.deliveriesPerSecond }
  } finally {
    await server.stop()
  }
}

/** Each figure of several runs, summarized. */
export function summarizeRuns(runs) {
  return Object.fromEntries(Object.keys(runs[0]).map(key => [key, summarize(runs.map(run => run[key]))]))
}

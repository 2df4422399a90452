import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { prepareInputs } from './inputs.mjs'
import { pinned } from './machine.mjs'
import { crdtBench, workFolder } from './paths.mjs'
import { peersFolder } from './peers.mjs'
import { summarize } from './statistics.mjs'

/** The CRDT by itself, beside Yjs, on the same bytes and the same core. */

const core = 1

function run(command, args) {
  const [pinnedCommand, pinnedArgs] = pinned(core, command, args)
  const output = execFileSync(pinnedCommand, pinnedArgs, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
  return JSON.parse(output)
}

const summarizeEach = times =>
  Object.fromEntries(Object.entries(times).map(([name, values]) => [name, summarize(values)]))

export async function measureCrdt({ traces, quick }) {
  const seconds = quick ? 0.2 : 3
  const results = []
  for (const { name, path } of await prepareInputs(join(workFolder, 'inputs'), traces, quick)) {
    console.error(`measuring the CRDT: ${name}`)
    const ours = run(crdtBench, [path, '--seconds', String(seconds)])
    const yjs = run('node',
      ['--expose-gc', join(peersFolder, 'yjs-bench.mjs'), path, '--seconds', String(seconds)])
    results.push({
      name,
      updates: ours.updates,
      stateBytes: ours.state_bytes,
      ours: { times: summarizeEach(ours.times), memory: ours.memory },
      yjs: { times: summarizeEach(yjs.times), memory: yjs.memory }
    })
  }
  return results
}

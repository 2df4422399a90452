import { execFileSync } from 'node:child_process'
import { closeSync, fdatasyncSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import os from 'node:os'
import { join } from 'node:path'
import { root, workFolder } from './paths.mjs'
import { npmVersion } from './peers.mjs'
import { summarize } from './statistics.mjs'

/** Where the figures come from. */

const firstLine = (command, ...args) => execFileSync(command, args, { encoding: 'utf8' }).split('\n')[0]

function systemName() {
  const match = /^PRETTY_NAME="(.*)"$/m.exec(readFileSync('/etc/os-release', 'utf8'))
  return match?.[1] ?? os.type()
}

/** The commit, with a word when the sources have been changed since. */
function revision() {
  try {
    const commit = firstLine('git', '-C', root, 'rev-parse', '--short=12', 'HEAD')
    const changes = execFileSync('git', ['-C', root, 'status', '--porcelain', '--', 'crdt', 'storage', 'server', 'bench'],
      { encoding: 'utf8' })
    return changes === '' ? commit : `${commit} with changes`
  } catch {
    return 'unknown revision'
  }
}

/** What the disk takes to keep 4 KiB for good, in milliseconds: no server that waits for it is faster. */
function durableWrite() {
  mkdirSync(workFolder, { recursive: true })
  const path = join(workFolder, 'durable-write')
  const file = openSync(path, 'w')
  const times = Array.from({ length: 100 }, () => {
    const begin = performance.now()
    writeSync(file, Buffer.alloc(4096, 1))
    fdatasyncSync(file)
    return performance.now() - begin
  })
  closeSync(file)
  rmSync(path)
  return summarize(times)
}

export async function describeRun({ traces, quick }) {
  const processors = os.cpus()
  return {
    date: new Date().toISOString().slice(0, 10),
    revision: revision(),
    processor: `${processors[0].model.trim()}, ${os.availableParallelism()} of ${processors.length} cores`,
    memoryBytes: os.totalmem(),
    system: `${systemName()}, Linux ${os.release()}`,
    compiler: firstLine('c++', '--version'),
    node: process.version,
    websocketServer: npmVersion('@y/websocket-server'),
    durableWrite: durableWrite(),
    loadBefore: os.loadavg()[0],
    recorded: traces !== undefined,
    quick
  }
}

/** Puts a program on one core, where there is more than one. */
export function pinned(core, command, args) {
  return os.availableParallelism() > 1 ? ['taskset', ['-c', String(core), command, ...args]] : [command, args]
}

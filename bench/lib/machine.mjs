import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import os from 'node:os'
import { websocketServerVersion, yjsVersion } from './peers.mjs'

/** Where the figures come from. */

const firstLine = (command, ...args) => execFileSync(command, args, { encoding: 'utf8' }).split('\n')[0]

function systemName() {
  const match = /^PRETTY_NAME="(.*)"$/m.exec(readFileSync('/etc/os-release', 'utf8'))
  return match?.[1] ?? os.type()
}

/** The commit, with a word when the sources have been changed since. */
function revision() {
  try {
    const commit = firstLine('git', 'rev-parse', '--short=12', 'HEAD')
    const changes = execFileSync('git', ['status', '--porcelain', '--', 'crdt', 'storage', 'server', 'bench'],
      { encoding: 'utf8' })
    return changes === '' ? commit : `${commit} with changes`
  } catch {
    return 'unknown revision'
  }
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
    yjs: yjsVersion,
    websocketServer: websocketServerVersion,
    loadBefore: os.loadavg()[0],
    recorded: traces !== undefined,
    quick
  }
}

/** Puts a program on one core, where there is more than one. */
export function pinned(core, command, args) {
  return os.availableParallelism() > 1 ? ['taskset', ['-c', String(core), command, ...args]] : [command, args]
}

import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { withFolder } from './support/palimpsest.js'
import { Random } from './support/random.js'
import { pause, until } from './support/wait.js'

/**
 * F3. A power cut: what the file system has not pushed out to its device is gone. The store lies on
 * ext4 inside an image file, the image file on XFS, which can copy it in one instant; such a copy
 * is what the device holds at that moment. Mounted and opened, it must have all that was
 * acknowledged before. (What the device itself may reorder in its cache is not part of this.)
 *
 * Needs root and loop devices, and a mount namespace of its own: `unshare --mount node --test …`.
 * `CUTS=n` cuts n times, `SEED=n` repeats the moments of a run.
 */
const cuts = Number(process.env.CUTS ?? 25)
const seed = Number(process.env.SEED ?? Date.now() % 1e6)
const programs = process.env.PALIMPSEST_PROBES ?? resolve(import.meta.dirname, '../../build/release/tests/interop')
const run = promisify(execFile)

for (const [what, mode] of [
  ['nothing that was acknowledged is lost', []],
  ['synchronous=NORMAL is caught losing something', ['--synchronous-normal']]
]) {
  test(`F3: when the power is cut ${cuts} times, ${what}`, { timeout: 120_000 + cuts * 5_000 },
    () => withFolder(folder => withDisk(folder, async disk => {
      const random = new Random(seed)
      const writer = spawn(join(programs, 'power_writer'), [join(disk.path, 'data'), ...mode], { stdio: ['ignore', 'pipe', 'inherit'] })
      const ended = once(writer, 'exit')
      const lost = []
      try {
        const acknowledged = watch(writer)
        await until('something is acknowledged', () => acknowledged.size > 0)
        let cut = 0
        for (; cut < cuts && lost.length === 0; cut++) {
          await pause(random.integer(20, 400))
          const promised = new Map(acknowledged)
          const found = await disk.asAfterPowerCut(data => logsOf(data, `SEED=${seed}, cut ${cut}`))
          for (const [name, seq] of promised) {
            if ((found.get(name) ?? 0) < seq) lost.push(`cut ${cut}: ${name} ends with ${found.get(name)} of ${seq}`)
          }
          assert.ok(new Set(found.values()).size <= 1, `SEED=${seed}, cut ${cut}: a commit is there in part`)
        }
        console.log(`${cut} cuts, ${acknowledged.get('a')} commits: ${lost[0] ?? 'nothing lost'}`)
      } finally {
        writer.kill('SIGKILL')
        await ended
      }
      if (mode.length === 0) assert.deepEqual(lost, [], `SEED=${seed}`)
      else assert.ok(lost.length > 0, 'nothing was noticed')
    })))
}

/** What the writer says to be on disk, as it comes: document → seq. */
function watch(writer) {
  const acknowledged = new Map()
  let rest = ''
  writer.stdout.on('data', chunk => {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop()
    for (const line of lines) {
      const [name, seq] = line.split(' ')
      acknowledged.set(name, Number(seq))
    }
  })
  return acknowledged
}

async function logsOf(data, where) {
  const { stdout } = await run(join(programs, 'store_check'), [data, '--logs']).catch(error => error)
  const lines = stdout.split('\n').slice(0, -1)
  for (const line of lines) assert.match(line, /^[abc] \d+$/, `${where}: V6`)
  return new Map(lines.map(line => line.split(' ')).map(([name, seq]) => [name, Number(seq)]))
}

/** A disk whose power can be cut as often as wanted; it goes on afterwards as if nothing had been. */
async function withDisk(folder, work) {
  const at = name => join(folder, name)
  await run('truncate', ['-s', '400M', at('outer.img')])
  await run('mkfs.xfs', ['-q', '-m', 'reflink=1', at('outer.img')])
  for (const name of ['outer', 'disk', 'after']) await mkdir(at(name))
  await run('mount', ['-o', 'loop', at('outer.img'), at('outer')])
  try {
    const image = at('outer/disk.img')
    await run('truncate', ['-s', '64M', image])
    await run('mkfs.ext4', ['-q', '-F', image])
    await run('mount', ['-o', 'loop', image, at('disk')])
    try {
      return await work({
        path: at('disk'),
        async asAfterPowerCut(look) {
          const copy = at('outer/copy.img')
          await run('cp', ['--reflink=always', image, copy])
          await run('mount', ['-o', 'loop', copy, at('after')])
          try {
            return await look(join(at('after'), 'data'))
          } finally {
            await run('umount', [at('after')])
            await rm(copy)
          }
        }
      })
    } finally {
      await run('umount', [at('disk')])
    }
  } finally {
    await run('umount', [at('outer')])
  }
}

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { test } from 'node:test'
import { Ledger, verifyStore } from './support/ledger.js'
import { withFolder } from './support/palimpsest.js'
import { Random } from './support/random.js'
import { Server } from './support/server.js'
import { within } from './support/wait.js'

/**
 * F2. The server dies at each place in its sources that says PALIMPSEST_FAILPOINT, again and again,
 * every time at another of the times it comes by there.
 *
 * `KILLS=n` at each, `SEED=n` repeats a run, `FAILPOINT=name` is for one of them.
 */
const kills = Number(process.env.KILLS ?? 20)
const seed = Number(process.env.SEED ?? Date.now() % 1e6)
const root = resolve(import.meta.dirname, '../..')
const program = process.env.PALIMPSEST_FAILPOINTS ?? resolve(root, 'build/failpoints/palimpsest')
const roundsPerDocument = 5

/**
 * At which of the times that the server comes by: early enough for the load of a round to get there,
 * and where connecting alone gets there, later than that.
 */
const visits = {
  'mid-checkpoint': [1, 2],
  'mid-compaction': [1, 1],
  'mid-index': [1, 2],
  'after-ack-before-broadcast': [40, 100]
}

const failpoints = [...new Set(
  execFileSync('git', ['grep', '-ohE', 'PALIMPSEST_FAILPOINT\\("[^"]+"\\);', '--', 'server', 'storage/src'], { cwd: root })
    .toString().trim().split('\n').map(line => /"(.*)"/.exec(line)[1]))]

test('F2: there are failpoints from before an update is written to after it is seen', () => {
  assert.ok(existsSync(program), `${program}: scripts/test crash builds it`)
  for (const name of ['before-append', 'after-append-before-commit', 'after-commit-before-ack',
    'after-ack-before-broadcast', 'mid-checkpoint', 'mid-compaction', 'mid-index']) assert.ok(failpoints.includes(name), name)
})

for (const name of failpoints.filter(name => name === (process.env.FAILPOINT ?? name))) {
  test(`F2: nothing acknowledged or seen is missing after ${kills} times kill -9 at ${name}`,
    { timeout: 60_000 + kills * 10_000 }, () => withFolder(async folder => {
      const random = new Random(seed)
      const ledger = new Ledger()
      for (let round = 0; round < kills; round++) {
        const where = `FAILPOINT=${name}, SEED=${seed}, round ${round}`
        const documentName = `doc-${Math.floor(round / roundsPerDocument)}`
        const env = { PALIMPSEST_FAILPOINT: `${name}:${random.integer(...(visits[name] ?? [1, 40]))}` }
        await withServer(() => Server.start(folder, { program, env }), async server => {
          const { writers, ended } = await within(30_000, `the server dies, ${where}`,
            ledger.load(server, documentName, round, random))
          assert.deepEqual(ended, { code: null, signal: 'SIGKILL' }, `${where}: V7: it died of something else`)
          await withServer(() => server.again(), again => ledger.check(again, documentName, writers, where))
        })
        if (round % 10 === 9) await verifyStore(folder, where)
      }
      const { typed, acknowledged, seen } = ledger.sum
      console.log(`${kills} kills at ${name}: ${typed} typed, ${acknowledged} acknowledged, ${seen} seen by another`)
    }))
}

async function withServer(start, work) {
  const server = await start()
  try {
    return await work(server)
  } finally {
    await server.kill()
  }
}

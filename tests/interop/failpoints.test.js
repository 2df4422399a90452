import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { Ledger, readText, verifyStore } from './support/ledger.js'
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

/** What no server comes by, but a command that is run once. */
const isOfCommand = name => /^(restore|import|purge)-/.test(name)
const chosen = failpoints.filter(name => name === (process.env.FAILPOINT ?? name))

for (const name of chosen.filter(name => !isOfCommand(name))) {
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

for (const name of chosen.filter(name => name.startsWith('restore-'))) {
  test(`F2, F24: a restore that is killed at ${name} leaves one store or the other`, () => withFolder(async folder => {
    const data = join(folder, 'data')
    const backup = join(folder, 'backup.db')
    const said = (...args) => execFileSync(program, [...args, '--data', data]).toString()
    const textNow = async () => {
      const server = await Server.start(data, { program })
      try {
        return await readText(server, 'doc')
      } finally {
        await server.stop()
      }
    }
    await writeFile(join(folder, 'doc.txt'), 'backed up')
    said('import', join(folder, 'doc.txt'))
    said('backup', backup)
    await writeFile(join(folder, 'other.txt'), 'not in the backup')
    said('import', join(folder, 'other.txt'), '--name', 'other')

    const env = { ...process.env, PALIMPSEST_FAILPOINT: `${name}:1` }
    const killed = spawnSync(program, ['restore', backup, '--data', data], { env })
    assert.equal(killed.signal, 'SIGKILL', killed.stderr?.toString())
    await verifyStore(data, name)
    const isRestored = said('check').startsWith('1 document')
    assert.equal(isRestored, name === 'restore-after-rename')
    assert.equal(await textNow(), 'backed up')

    assert.match(said('restore', backup), /put back 1 document/)
    assert.match(said('check'), /^1 document, 1 update: all well/)
    assert.equal(await textNow(), 'backed up')
    assert.deepEqual((await readdir(data)).filter(file => file.includes('restoring')), [])
  }))
}

for (const name of chosen.filter(name => name.startsWith('import-'))) {
  test(`F2: of an import that is killed at ${name} nothing is there`, () => withFolder(async folder => {
    const data = join(folder, 'data')
    await writeFile(join(folder, 'doc.txt'), 'text')
    const args = ['import', join(folder, 'doc.txt'), '--data', data]
    const env = { ...process.env, PALIMPSEST_FAILPOINT: `${name}:1` }
    assert.equal(spawnSync(program, args, { env }).signal, 'SIGKILL')
    await verifyStore(data, name)
    assert.match(execFileSync(program, ['check', '--data', data]).toString(), /^0 documents/)
    assert.match(execFileSync(program, args).toString(), /imported 1 document/)
  }))
}

for (const name of chosen.filter(name => name.startsWith('purge-'))) {
  const run = (data, ...args) => spawnSync(program, [...args, '--data', data], { encoding: 'utf8' })
  const runKilled = (data, ...args) => {
    const env = { ...process.env, PALIMPSEST_FAILPOINT: `${name}:1` }
    const { signal, stderr } = spawnSync(program, [...args, '--data', data], { env, encoding: 'utf8' })
    assert.equal(signal, 'SIGKILL', stderr)
  }
  const filesOf = data => Promise.all(['palimpsest.db', 'palimpsest.db-wal'].map(async file =>
    existsSync(join(data, file)) ? (await readFile(join(data, file))).toString('latin1') : ''))
  const has = async (data, text) => (await filesOf(data)).some(file => file.includes(text))

  test(`F2: a document whose purge is killed at ${name} is there whole or gone`, () => withFolder(async folder => {
    const data = join(folder, 'data')
    await writeFile(join(folder, 'doc.txt'), 'a SECRET in it')
    for (const document of ['doc', 'other']) {
      const { status, stderr } = run(data, 'import', join(folder, 'doc.txt'), '--name', document)
      assert.equal(status, 0, stderr)
    }
    run(data, 'purge', 'other', '--text', 'SECRET', '--yes')
    assert.equal(run(data, 'delete', 'doc').status, 0)
    runKilled(data, 'purge', 'doc', '--document', '--yes')
    await verifyStore(data, name)
    const isThere = run(data, 'log', 'doc').status === 0
    assert.equal(isThere, name === 'purge-before-commit')
    assert.equal(run(data, 'show', 'doc', '--at', '1').stdout, isThere ? 'a SECRET in it' : '')
    if (isThere) assert.match(run(data, 'purge', 'doc', '--document', '--yes').stdout, /is gone/)
    assert.equal(run(data, 'versions', 'other', '--name', 'v').status, 0) // a writer, which tidies up
    assert.ok(!await has(data, 'SECRET'))
    assert.match(run(data, 'check').stdout, /^1 document, .*all well/)
  }))

  if (name !== 'purge-before-commit') {
    test(`F2: a passage whose purge is killed at ${name} is in no byte when the store is next opened`,
      () => withFolder(async folder => {
        const data = join(folder, 'data')
        await writeFile(join(folder, 'doc.txt'), 'a SECRET in it')
        run(data, 'import', join(folder, 'doc.txt'))
        runKilled(data, 'purge', 'doc', '--text', 'SECRET', '--yes')
        await verifyStore(data, name)
        assert.equal(run(data, 'versions', 'doc', '--name', 'v').status, 0)
        assert.ok(!await has(data, 'SECRET'))
        assert.equal(run(data, 'show', 'doc', '--at', '1').stdout, 'a  in it')
        assert.match(run(data, 'check').stdout, /all well/)
      }))
  }
}

async function withServer(start, work) {
  const server = await start()
  try {
    return await work(server)
  } finally {
    await server.kill()
  }
}

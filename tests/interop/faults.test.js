import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { closeSync, openSync, writeSync } from 'node:fs'
import { test } from 'node:test'
import { checkTokens, Ledger, readText, tokensIn, verifyStore, Writer } from './support/ledger.js'
import { binary, withFolder } from './support/palimpsest.js'
import { Random } from './support/random.js'
import { RawClient } from './support/raw-client.js'
import { Server } from './support/server.js'
import { pause, until, within } from './support/wait.js'

/** What a real disk, or the kernel in its place, does to a running server. */

const seed = Number(process.env.SEED ?? Date.now() % 1e6)
const works = (command, ...words) => spawnSync(command, words).status === 0

// --- F6: a full disk ---

const hasNamespaces = works('unshare', '--map-root-user', '--mount', 'true')

/** Runs a command with a file system of its own, of so many bytes, at `folder`. */
const onSmallDisk = (folder, bytes) => command => ['unshare', '--map-root-user', '--mount', 'sh', '-c',
  `mount -t tmpfs -o size=${bytes} small "${folder}" && exec "$@"`, 'sh', ...command]

/** Fills a disk to its last byte, through the eyes of the server. */
function fill(file) {
  const ballast = openSync(file, 'a')
  try {
    for (let size = 1 << 16; size >= 1; size >>= 1) {
      try {
        for (;;) writeSync(ballast, Buffer.alloc(size))
      } catch (error) {
        if (error.code !== 'ENOSPC') throw error
      }
    }
  } finally {
    closeSync(ballast)
  }
}

test('F6: on a full disk nobody is closed, told or shown anything, and it goes on by itself when there is room',
  { skip: !hasNamespaces && 'no user namespaces with file systems of their own here' },
  () => withFolder(async folder => {
    const server = await Server.start(folder, { around: onSmallDisk(folder, 6 << 20) })
    try {
      const ballast = `/proc/${server.process.pid}/root${folder}/ballast`
      const writers = []
      for (const name of ['0.0', '0.1']) writers.push(await Writer.connect(server, 'doc', name))
      const observer = await RawClient.connect(`${server.url}/doc`)
      await observer.sync()
      const readiness = async () => (await server.get('/readyz')).status
      const allAcknowledged = () => writers.every(({ client, tokens }) => client.acknowledged === tokens.length)

      for (let times = 0; times < 3; times++) {
        for (const writer of writers) writer.type()
        await until('all is saved', allAcknowledged)
        assert.equal(await readiness(), 200)

        fill(ballast)
        for (let isReady = true; isReady; isReady = await readiness() === 200) {
          for (const writer of writers) writer.type('x'.repeat(2000))
          await pause(10)
        }
        const { status, text } = await server.get('/readyz')
        assert.equal(status, 503)
        assert.match(text, /the disk is full/)
        assert.equal((await server.get('/healthz')).status, 200)

        // While it is full: nothing more is promised or shown, and reading goes on.
        const promised = writers.flatMap(writer => writer.acknowledgedTokens())
        for (const writer of writers) writer.type()
        const read = new Set(tokensIn(await readText(server, 'doc')))
        assert.deepEqual(promised.filter(token => !read.has(token)), [], 'promised and not to be read')
        assert.equal(await readText(server, 'another'), '')
        assert.ok(!allAcknowledged(), 'something waits')
        for (const writer of writers) {
          assert.ok(!read.has(writer.tokens.at(-1)), 'nobody reads what is not on disk')
          assert.ok(!tokensIn(observer.doc.getText('content').toString()).includes(writer.tokens.at(-1)))
        }

        await rm(ballast)
        while (await readiness() !== 200) await pause(50)
        await until('what waited is saved', allAcknowledged)
      }

      await until('the observer sees all', () =>
        tokensIn(observer.doc.getText('content').toString()).length === writers.flatMap(({ tokens }) => tokens).length)
      const text = await readText(server, 'doc')
      checkTokens(text, 'after the full disk')
      assert.equal(tokensIn(text).length, writers.flatMap(({ tokens }) => tokens).length)
      for (const { client } of [...writers, { client: observer }]) assert.equal(client.closeCode, null, 'nobody was closed')
      assert.equal(server.log.match(/the disk is full/g).length, 3, server.log)
      assert.equal(server.log.match(/there is room on the disk again/g).length, 3)
      assert.deepEqual(await server.stop(), { code: 0, signal: null })
    } finally {
      await server.kill()
    }
  }))

// --- F4, F5: the disk fails ---

const hasTracer = works('strace', '-f', '-qq', '--seccomp-bpf', '-o', '/dev/null', 'true')

/** Runs a command in which every system call `name` from the n-th on (or only that) fails. */
const failing = (name, when) => command => ['strace', '-f', '-qq', '--seccomp-bpf', '-o', '/dev/null',
  '-e', `trace=${name}`, '-e', `inject=${name}:error=EIO:when=${when}`, ...command]

for (const [id, call] of [['F4', 'fdatasync'], ['F5', 'pwrite64']]) {
  for (const lasting of ['once', 'for ever']) {
    test(`${id}: when ${call} fails ${lasting}, nothing more is acknowledged, the server ends with 74 and comes back clean`,
      { skip: !hasTracer && 'no strace that can inject errors here' }, () => withFolder(async folder => {
        const random = new Random(seed)
        const ledger = new Ledger()
        for (let round = 0; round < 3; round++) {
          const where = `SEED=${seed}, ${call} ${lasting}, round ${round}`
          // Starting takes a few calls already, and there a failure is another matter.
          const when = `${random.integer(60, 200)}${lasting === 'once' ? '' : '+'}`
          const server = await Server.start(folder, { around: failing(call, when) })
          try {
            const { writers, ended } = await within(60_000, `the server ends, ${where}`,
              ledger.load(server, `doc-${round}`, round, random))
            assert.deepEqual(ended, { code: 74, signal: null }, `${where}:\n${server.log}`)
            assert.match(server.log, /the store has failed, nothing more can be saved/)
            for (const { client } of writers) assert.equal(client.closeCode, 4503, where)
            const again = await server.again({ around: undefined })
            try {
              await ledger.check(again, `doc-${round}`, writers, where)
            } finally {
              await again.kill()
            }
            await verifyStore(folder, where)
          } finally {
            await server.kill()
          }
        }
      }))
  }
}

test('F6: a reserve that is released brings what waits on a full disk to it',
  { skip: !hasNamespaces && 'no user namespaces with file systems of their own here' },
  () => withFolder(async folder => {
    const server = await Server.start(folder, { around: onSmallDisk(folder, 8 << 20), args: ['--reserve', '1MiB'] })
    try {
      const inside = `/proc/${server.process.pid}/root${folder}`
      const writer = await Writer.connect(server, 'doc', '0.0')
      fill(`${inside}/ballast`)
      while ((await server.get('/readyz')).status === 200) {
        writer.type('x'.repeat(2000))
        await pause(10)
      }
      assert.ok(writer.client.acknowledged < writer.tokens.length, 'something waits')
      const release = spawnSync(binary, ['reserve', '--release', '--data', inside], { encoding: 'utf8' })
      assert.equal(release.status, 0, release.stderr)
      assert.match(release.stdout, /^released 1 MiB/)
      await until('what waited is saved', () => writer.client.acknowledged === writer.tokens.length)
      assert.equal((await server.get('/readyz')).status, 200)
      const again = spawnSync(binary, ['reserve', '--release', '--data', inside], { encoding: 'utf8' })
      assert.equal(again.status, 1)
      assert.match(again.stderr, /there is no reserve to release/)
    } finally {
      await server.kill()
    }
  }))

// --- F7: a slow disk ---

/** Runs a command in which every system call `name` takes so much longer. */
const slow = (name, milliseconds) => command => ['strace', '-f', '-qq', '--seccomp-bpf', '-o', '/dev/null',
  '-e', `trace=${name}`, '-e', `inject=${name}:delay_enter=${milliseconds * 1000}`, ...command]

for (const milliseconds of [20, 200]) {
  test(`F7: where an fsync takes ${milliseconds} ms more, each edit is saved once, and others can be read meanwhile`,
    { skip: !hasTracer && 'no strace that can inject delays here' }, () => withFolder(async folder => {
      const server = await Server.start(folder, { around: slow('fdatasync', milliseconds) })
      try {
        const reader = await Writer.connect(server, 'other', '0.9')
        reader.type()
        await until('the other document is saved', () => reader.client.acknowledged === 1)
        const writers = []
        for (const name of ['0.0', '0.1', '0.2']) writers.push(await Writer.connect(server, 'doc', name))
        for (let i = 0; i < 200; i++) for (const writer of writers) writer.type()
        assert.deepEqual(tokensIn(await readText(server, 'other')), reader.tokens)
        await until('all is saved', () => writers.every(({ client, tokens }) => client.acknowledged === tokens.length), 60_000)
        await server.kill()
        const again = await server.again({ around: undefined })
        try {
          const text = await readText(again, 'doc')
          checkTokens(text, 'after the slow disk')
          assert.equal(tokensIn(text).length, 600)
        } finally {
          await again.kill()
        }
      } finally {
        await server.kill()
      }
    }))
}

// --- I6: the author is gone ---

test('I6: what was received is kept though its author resets the connection in the same moment', () =>
  withFolder(async folder => {
    let server = await Server.start(folder)
    try {
      const observer = await RawClient.connect(`${server.url}/doc`)
      await observer.sync()
      const typed = []
      for (let i = 0; i < 300; i++) {
        const writer = await Writer.connect(server, 'doc', `0.${i}`)
        writer.type()
        writer.client.socket._socket.resetAndDestroy()
        typed.push(...writer.tokens)
        await writer.client.closed
      }
      await until('somebody sees most of it', () =>
        tokensIn(observer.doc.getText('content').toString()).length > typed.length / 2)
      await server.kill()
      const seen = tokensIn(observer.doc.getText('content').toString())
      server = await server.again()
      const text = await readText(server, 'doc')
      checkTokens(text, 'after the resets')
      const there = new Set(tokensIn(text))
      assert.deepEqual(seen.filter(token => !there.has(token)), [], 'seen and lost')
      assert.deepEqual([...there].filter(token => !typed.includes(token)), [])
    } finally {
      await server.kill()
    }
  }))

import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { test } from 'node:test'
import { readText } from './support/ledger.js'
import { palimpsest, succeed, withFolder } from './support/palimpsest.js'
import { message, RawClient } from './support/raw-client.js'
import { Server } from './support/server.js'
import { until, within } from './support/wait.js'
import { Y } from './support/yjs.js'

/** Documents out and in: our own files, and what others have stored, written by those themselves. */

const { LeveldbPersistence } = createRequire(import.meta.url)('y-leveldb')

/** A document and the updates that made it, one for each word. */
function written(words, client) {
  const doc = new Y.Doc()
  if (client) doc.clientID = client
  const updates = []
  doc.on('update', update => updates.push(update))
  for (const word of words.split(' ')) doc.getText('content').insert(doc.getText('content').length, `${word} `)
  doc.getText('content').delete(0, 1)
  return { doc, updates, text: doc.getText('content').toString() }
}

async function listed(data) {
  const server = await Server.start(data)
  try {
    return JSON.parse((await server.get('/api/documents')).text).documents
  } finally {
    await server.stop()
  }
}

async function hashOf(folder) {
  const hash = createHash('sha256')
  for (const name of (await readdir(folder)).sort()) hash.update(name).update(await readFile(join(folder, name)))
  return hash.digest('hex')
}

/** A data folder with a document by two people, its log packed in part, on a server that ran for it. */
async function withDocument(work) {
  await withFolder(async folder => {
    const data = join(folder, 'data')
    const server = await Server.start(data, { args: ['--unload-after', '0s'] })
    try {
      const client = await RawClient.connect(`${server.url}/doc?ack=1`)
      await client.sync()
      client.doc.on('update', (update, origin) => {
        if (origin !== 'remote') client.send(message.update(update))
      })
      for (let i = 0; i < 700; i++) client.doc.getText('content').insert(0, `${i} `)
      await until('all of it is saved', () => client.acknowledged === 700)
      await client.close()
      await work({ folder, data, server, doc: client.doc })
    } finally {
      if (server.isRunning) await server.kill()
    }
  })
}

const historyOf = async (data, name) =>
  JSON.parse(await succeed('log', name, '--json', '--data', data))

test('a document goes from one server to another with its whole history', () => withDocument(
  async ({ folder, data, server, doc }) => {
    const file = join(folder, 'doc.palimpsest')
    await succeed('export', 'doc', '-o', file, '--data', data) // while the server runs
    const other = join(folder, 'other')
    assert.match(await succeed('import', file, '--data', other), /imported 1 document, 700 updates/)
    assert.deepEqual(await historyOf(other, 'doc'), await historyOf(data, 'doc'))
    for (const at of ['1', '350', '700']) {
      assert.equal(await succeed('show', 'doc', '--at', at, '--data', other),
        await succeed('show', 'doc', '--at', at, '--data', data))
    }
    assert.match(await succeed('check', '--data', other), /all well/)

    const taken = await palimpsest('import', file, '--data', other)
    assert.equal(taken.status, 1)
    assert.match(taken.stderr, /there is a document "doc" already/)
    await succeed('import', file, '--name', 'copy', '--data', other)

    const there = await Server.start(other)
    try {
      assert.equal(await readText(there, 'copy'), doc.getText('content').toString())
    } finally {
      await there.stop()
    }
    assert.equal(await readText(server, 'doc'), doc.getText('content').toString())
  }))

test('the same by HTTP; who waits in the empty document gets it', () => withDocument(
  async ({ folder, server, doc }) => {
    const there = await Server.start(join(folder, 'there'))
    try {
      const url = `http://127.0.0.1:${server.port}/api/documents/doc/export`
      const exported = await fetch(url)
      assert.equal(exported.status, 200)
      assert.match(exported.headers.get('content-disposition'), /doc\.palimpsest/)
      const file = Buffer.from(await exported.arrayBuffer())
      assert.equal((await fetch(url, { method: 'HEAD' })).headers.get('content-length'), String(file.length))
      assert.equal((await fetch(`http://127.0.0.1:${server.port}/api/documents/none/export`)).status, 404)

      const waiting = await RawClient.connect(`${there.url}/doc`)
      await waiting.sync()
      const send = (body, query = '') => fetch(`http://127.0.0.1:${there.port}/api/import${query}`, { method: 'POST', body })
      const answer = await send(file)
      assert.equal(answer.status, 201, await answer.clone().text())
      assert.equal(answer.headers.get('location'), '/api/documents/doc')
      assert.deepEqual((await answer.json()).documents.map(({ name, seq }) => ({ name, seq })), [{ name: 'doc', seq: 700 }])
      assert.equal(await within(5_000, 'who waited is told to come back', waiting.closed), 1012)
      assert.equal(await readText(there, 'doc'), doc.getText('content').toString())

      const again = await send(file)
      assert.equal(again.status, 409)
      assert.equal(again.headers.get('content-type'), 'application/problem+json')
      assert.equal((await send(file, '?name=doc2')).status, 201)
      const damaged = Buffer.from(file)
      damaged[file.length - 40] ^= 1
      const refused = await send(damaged, '?name=doc3')
      assert.equal(refused.status, 400)
      assert.match((await refused.json()).detail, /byte \d+/)
      assert.equal((await send('plain words', '?name=notes&format=text')).status, 201)
      assert.equal(await readText(there, 'notes'), 'plain words')
      assert.equal((await send('x', '?format=y-leveldb')).status, 400)
      assert.equal(JSON.parse((await there.get('/api/documents')).text).documents.length, 3)
    } finally {
      await there.stop()
    }
  }))

test('a file of many blocks arrives whole', () => withFolder(async folder => {
  const data = join(folder, 'data')
  const text = randomBytes(300_000).toString('base64')
  await writeFile(join(folder, 'noise.txt'), text)
  const server = await Server.start(data)
  try {
    await succeed('import', join(folder, 'noise.txt'), '--data', data)
    await succeed('export', 'noise', '-o', join(folder, 'noise.palimpsest'), '--data', data)
    const exported = await fetch(`http://127.0.0.1:${server.port}/api/documents/noise/export`)
    const bytes = Buffer.from(await exported.arrayBuffer())
    assert.ok(bytes.length > 200_000)
    assert.ok(bytes.equals(await readFile(join(folder, 'noise.palimpsest'))))
    assert.equal(await readText(server, 'noise'), text)
  } finally {
    await server.stop()
  }
}))

test('a file that is larger than the server takes is refused, and the limit can be set', () => withFolder(async folder => {
  const server = await Server.start(join(folder, 'data'), { args: ['--max-import', '1MiB'] })
  try {
    const send = size => fetch(`http://127.0.0.1:${server.port}/api/import?format=text&name=n${size}`,
      { method: 'POST', body: 'x'.repeat(size) })
    assert.equal((await send(1_000_000)).status, 201) // more than other bodies may have
    assert.equal((await send(2_000_000)).status, 413)
    assert.deepEqual((await readdir(join(folder, 'data'))).filter(name => name.startsWith('upload-')), [])
  } finally {
    await server.stop()
  }
}))

test('a damaged file is refused with its name, the byte and the cause, and nothing is stored', () => withDocument(
  async ({ folder, data }) => {
    const file = join(folder, 'doc.palimpsest')
    await succeed('export', 'doc', '-o', file, '--data', data)
    const bytes = await readFile(file)
    const other = join(folder, 'other')
    for (const [name, content] of [
      ['flipped', bytes.map((byte, i) => i === bytes.length >> 1 ? byte ^ 4 : byte)],
      ['cut', bytes.subarray(0, bytes.length - 1)],
      ['longer', Buffer.concat([bytes, Buffer.from('x')])]
    ]) {
      const damaged = join(folder, name)
      await writeFile(damaged, content)
      const { status, stderr } = await palimpsest('import', damaged, '--format', 'palimpsest', '--data', other)
      assert.equal(status, 1, name)
      assert.match(stderr, new RegExp(`${name}: byte \\d+: .+\\n$`), name)
    }
    assert.deepEqual((await readdir(folder)).filter(name => name === 'other'), [], 'no store was made')
    const missing = await palimpsest('export', 'none', '-o', join(folder, 'none'), '--data', data)
    assert.equal(missing.status, 1)
    assert.deepEqual((await readdir(folder)).filter(name => name.startsWith('none')), [])
  }))

test('text and Markdown become the content, Yjs updates a document', () => withFolder(async folder => {
  const data = join(folder, 'data')
  const { doc, text } = written('an update of Yjs')
  const files = {
    'notes.md': '\uFEFF# Title\r\n\r\nwords\r\n',
    'plain.txt': 'Grüße 🙂\n',
    'one.yjs': Buffer.from(Y.encodeStateAsUpdate(doc)),
    'two.yjs': Buffer.from(Y.encodeStateAsUpdateV2(doc))
  }
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content)
  const server = await Server.start(data) // imported through the running server
  try {
    for (const name of ['notes.md', 'plain.txt', 'one.yjs']) await succeed('import', join(folder, name), '--data', data)
    await succeed('import', join(folder, 'two.yjs'), '--v2-in', '--data', data)
    assert.equal(await readText(server, 'notes'), '# Title\n\nwords\n')
    assert.equal(await readText(server, 'plain'), 'Grüße 🙂\n')
    assert.equal(await readText(server, 'one'), text)
    assert.equal(await readText(server, 'two'), text)
    const { documents } = JSON.parse((await server.get('/api/documents')).text)
    const notes = documents.find(({ name }) => name === 'notes')
    assert.equal(notes.title, 'Title')
    assert.deepEqual(notes.authors.map(({ name }) => name), ['import'])
  } finally {
    await server.stop()
  }
  const { status, stderr } = await palimpsest('import', join(folder, 'two.yjs'), '--name', 'x', '--data', data)
  assert.equal(status, 1, 'v2 is no v1')
  assert.match(stderr, /two\.yjs: byte \d+/)
}))

test('a y-leveldb: every document, and each update as an entry of the log', () => withFolder(async folder => {
  const store = join(folder, 'leveldb')
  const data = join(folder, 'data')
  const documents = { 'first document': written('one two three four'), 'a/b': written('five six'), '🙂': written('seven') }
  const persistence = new LeveldbPersistence(store)
  for (const [name, { updates }] of Object.entries(documents)) {
    for (const update of updates) await persistence.storeUpdate(name, update)
    await persistence.setMeta(name, 'some', 'thing')
  }
  const inUse = await palimpsest('import', store, '--data', data)
  assert.equal(inUse.status, 1)
  assert.match(inUse.stderr, /a server is running on it/)
  await persistence.destroy()

  const before = await hashOf(store)
  assert.match(await succeed('import', store, '--data', data), /imported 3 documents/)
  assert.equal(await hashOf(store), before, 'the store is as it was')
  const found = await listed(data)
  assert.deepEqual(Object.fromEntries(found.map(({ name, seq }) => [name, seq])),
    Object.fromEntries(Object.entries(documents).map(([name, { updates }]) => [name, updates.length])))
  assert.equal(await succeed('show', 'first document', '--at', '2', '--data', data), 'one two ')
  for (const [name, { text, updates }] of Object.entries(documents)) {
    assert.equal(await succeed('show', name, '--at', String(updates.length), '--data', data), text)
  }
  assert.match(await succeed('check', '--data', data), /all well/)

  await succeed('import', store, '--document', 'a/b', '--name', 'only', '--data', data)
  assert.equal((await listed(data)).find(({ name }) => name === 'only').seq, documents['a/b'].updates.length)
  const several = await palimpsest('import', store, '--name', 'x', '--data', data)
  assert.equal(several.status, 1)
  assert.match(several.stderr, /has 3 documents/)
}))

test('a y-leveldb that was merged keeps what it has', () => withFolder(async folder => {
  const store = join(folder, 'leveldb')
  const { updates, text } = written('one two three four five')
  const persistence = new LeveldbPersistence(store)
  for (const update of updates.slice(0, 3)) await persistence.storeUpdate('doc', update)
  await persistence.flushDocument('doc')
  for (const update of updates.slice(3)) await persistence.storeUpdate('doc', update)
  await persistence.destroy()
  const data = join(folder, 'data')
  await succeed('import', store, '--format', 'y-leveldb', '--data', data)
  const [document] = await listed(data)
  assert.equal(document.seq, 1 + updates.length - 3)
  assert.equal(await succeed('show', 'doc', '--at', String(document.seq), '--data', data), text)
}))

test('the store of Hocuspocus\' SQLite extension', async t => {
  const sqlite = await import('node:sqlite').catch(() => null)
  if (!sqlite) return t.skip('this Node has no SQLite; tests/storage makes the store instead')
  await withFolder(async folder => {
    const file = join(folder, 'hocuspocus.sqlite')
    const store = new sqlite.DatabaseSync(file)
    // As @hocuspocus/extension-sqlite 4 makes it.
    store.exec('CREATE TABLE IF NOT EXISTS "documents" ("name" varchar(255) NOT NULL, "data" blob NOT NULL, UNIQUE(name))')
    const insert = store.prepare('INSERT INTO "documents" ("name", "data") VALUES (?, ?)')
    const { doc, text } = written('from Hocuspocus')
    insert.run('one', Y.encodeStateAsUpdate(doc))
    insert.run('nothing in it', Y.encodeStateAsUpdate(new Y.Doc()))
    store.close()
    const data = join(folder, 'data')
    assert.match(await succeed('import', file, '--data', data), /imported 1 document, 1 update/)
    assert.equal(await succeed('show', 'one', '--at', '1', '--data', data), text)
  })
})

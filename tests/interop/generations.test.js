import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { checkTokens, Ledger, readText, tokensIn } from './support/ledger.js'
import { palimpsest, succeed, withFolder } from './support/palimpsest.js'
import { Random } from './support/random.js'
import { message, RawClient } from './support/raw-client.js'
import { Server } from './support/server.js'
import { StockClient, versions } from './support/stock-client.js'
import { pause, until, within } from './support/wait.js'
import { Y } from './support/yjs.js'

/**
 * I8: who has a copy of an older generation of a document is told so before anything is merged,
 * keeps that copy, and nothing is there twice. F24: the whole drill, under load.
 */

const seed = Number(process.env.SEED ?? Date.now() % 1e6)
const generationChanged = 4409

/** Of the server at that place, by a request with a JSON body. */
async function ask(server, method, path, body) {
  const answer = await fetch(`http://127.0.0.1:${server.port}${path}`, {
    method,
    headers: body && { 'Content-Type': 'application/json' },
    body: body && JSON.stringify(body)
  })
  return { status: answer.status, body: await answer.text() }
}

/** A server that can be stopped for a while, and the people at it. */
class Scene {
  static async run(work) {
    await withFolder(async folder => {
      const scene = new Scene()
      scene.data = join(folder, 'data')
      scene.folder = folder
      scene.clients = []
      scene.server = await Server.start(scene.data)
      try {
        await work(scene)
      } finally {
        for (const client of scene.clients) client.leave()
        if (scene.server.isRunning) await scene.server.kill()
      }
    })
  }

  async join(room, options) {
    const client = new StockClient(this.server.url, room, options)
    this.clients.push(client)
    await until('the client is in sync', () => client.isSynced)
    return client
  }

  async backUp(name) {
    const file = join(this.folder, name)
    await succeed('backup', file, '--data', this.data)
    return file
  }

  async restore(file) {
    await this.server.stop()
    const said = await succeed('restore', file, '--data', this.data)
    this.server = await this.server.again()
    return said
  }

  /** By HTTP, while it runs. */
  async purge(room) {
    assert.equal((await ask(this.server, 'DELETE', `/api/documents/${room}`)).status, 204)
    const { status, body } = await ask(this.server, 'POST', `/api/documents/${room}/purge`, { document: true, by: 'Grace' })
    assert.equal(status, 200, body)
  }

  async seen(room, text) {
    await until('the text is on disk', () => this.clients.some(client => client.text.includes(text)))
    const stranger = await RawClient.connect(`${this.server.url}/${room}`)
    await stranger.sync()
    await until('the server has the text', () => stranger.doc.getText('content').toString().includes(text))
    await stranger.close()
  }
}

for (const version of versions) {
  test(`I8: y-websocket ${version}: after a backup was put back an old copy is told, kept and not merged`,
    () => Scene.run(async scene => {
      const writer = await scene.join('doc', { version })
      writer.type('in the backup. ')
      await scene.seen('doc', 'in the backup. ')
      const backup = await scene.backUp('backup.db')
      writer.type('lost with the disk. ')
      await scene.seen('doc', 'lost with the disk. ')

      assert.match(await scene.restore(backup), /put back 1 document/)
      await until('the old copy is told', () => writer.closeCodes.includes(generationChanged))
      assert.equal(writer.text, 'in the backup. lost with the disk. ', 'the client keeps its copy')

      const stranger = await scene.join('doc', { version })
      assert.equal(stranger.text, 'in the backup. ')
      stranger.type('new. ')
      await scene.seen('doc', 'new. ')
      writer.type('offline. ')
      await pause(3_000) // it tries again at least once
      assert.equal(await readText(scene.server, 'doc'), 'in the backup. new. ')
      assert.equal(writer.text, 'in the backup. lost with the disk. offline. ', 'and sees nothing of the new one')
    }))

  test(`I8: y-websocket ${version}: a name that is used again is another document`, () => Scene.run(async scene => {
    const other = await scene.join('other', { version })
    other.type('something')
    await scene.seen('other', 'something')
    const without = await scene.backUp('without.db')
    const old = await scene.join('doc', { version })
    old.type('the old document')
    await scene.seen('doc', 'the old document')

    await scene.restore(without)
    await until('the old copy is told', () => old.closeCodes.includes(generationChanged))
    const first = await scene.join('doc', { version })
    assert.equal(first.text, '')
    first.type('the new document')
    await scene.seen('doc', 'the new document')
    await pause(3_000)
    assert.equal(await readText(scene.server, 'doc'), 'the new document')
    assert.equal(old.text, 'the old document')
  }))
}

for (const version of versions) {
  test(`I8: y-websocket ${version}: a purged name that is used again is another document`, () => Scene.run(async scene => {
    const old = await scene.join('doc', { version })
    const away = await scene.join('doc', { version })
    old.type('the old document')
    await scene.seen('doc', 'the old document')
    await until('the other has it', () => away.text === old.text)
    away.provider.disconnect()
    away.type(', and on')

    assert.equal((await ask(scene.server, 'DELETE', '/api/documents/doc')).status, 204)
    await until('it is closed for who is in it', () => old.closeCodes.includes(4404))
    assert.ok(!old.closeCodes.includes(generationChanged))
    assert.equal((await ask(scene.server, 'POST', '/api/documents/doc/purge', { document: true })).status, 200)
    old.provider.connect() // 3.1 gives up at 4404
    await until('the old copy is told', () => old.closeCodes.includes(generationChanged))
    away.provider.connect()
    await until('who was away is told', () => away.closeCodes.includes(generationChanged))

    const next = await scene.join('doc', { version })
    assert.equal(next.text, '')
    next.type('the new document')
    await scene.seen('doc', 'the new document')
    old.type(', offline')
    old.provider.connect()
    away.provider.connect()
    await pause(3_000) // they try again at least once
    assert.equal(await readText(scene.server, 'doc'), 'the new document')
    assert.equal(next.text, 'the new document')
    assert.equal(old.text, 'the old document, offline', 'the client keeps its copy')
    assert.equal(away.text, 'the old document, and on')
    assert.match(await succeed('check', '--data', scene.data), /^1 document, .*all well/)

    await scene.server.stop()
    scene.server = await scene.server.again()
    const told = () => old.closeCodes.filter(code => code === generationChanged).length
    const before = told()
    old.provider.connect()
    await until('it is told again', () => told() > before)
    assert.equal(await readText(scene.server, 'doc'), 'the new document')
  }))
}

test('I8: a client that says which generation it has is told of a purge by that alone', () => Scene.run(async scene => {
  const writer = await scene.join('doc')
  writer.type('text')
  await scene.seen('doc', 'text')
  writer.provider.disconnect()
  await scene.purge('doc')

  const old = await RawClient.connect(`${scene.server.url}/doc?ack=1&generation=1`)
  assert.equal(await within(5_000, 'it is told', old.closed), generationChanged)
  assert.equal(old.closeReason, 'generation_changed')
  assert.deepEqual(old.messages, [])
  const today = await RawClient.connect(`${scene.server.url}/doc?ack=1&generation=2`)
  await today.sync()
  assert.equal(today.generation, 2)
  assert.equal(today.doc.getText('content').toString(), '')
  today.doc.getText('content').insert(0, 'new')
  today.send(message.update(Y.encodeStateAsUpdate(today.doc)))
  await until('it is saved', () => today.acknowledged === 1)
  await today.close()

  await scene.purge('doc')
  const second = await RawClient.connect(`${scene.server.url}/doc?ack=1&generation=2`)
  assert.equal(await within(5_000, 'it is told again', second.closed), generationChanged)
  assert.equal((await scene.server.get('/api/documents/doc')).status, 404)
  const { purges } = JSON.parse((await scene.server.get('/api/documents/doc/purge')).text)
  assert.deepEqual(purges.map(({ by, document, entries }) => ({ by, document, entries })),
    [{ by: 'Grace', document: true, entries: 1 }, { by: 'Grace', document: true, entries: 1 }])
}))

test('I8: a purged document that comes back by import is welcome to who still has it', () => Scene.run(async scene => {
  const away = await scene.join('doc')
  away.type('kept. ')
  await scene.seen('doc', 'kept. ')
  const file = join(scene.folder, 'doc.palimpsest')
  await succeed('export', 'doc', '-o', file, '--data', scene.data)
  away.provider.disconnect()
  away.type('offline. ')
  await scene.purge('doc')
  await succeed('import', file, '--data', scene.data)
  away.provider.connect()
  await until('what was written offline is there', () => away.isSynced)
  await scene.seen('doc', 'kept. offline. ')
  assert.equal(await readText(scene.server, 'doc'), 'kept. offline. ')
  assert.deepEqual(away.closeCodes.filter(code => code === generationChanged), [])
}))

test('I8: what was written offline on top of the backup is welcome', () => Scene.run(async scene => {
  const away = await scene.join('doc')
  away.type('before. ')
  await scene.seen('doc', 'before. ')
  const backup = await scene.backUp('backup.db')
  away.provider.disconnect()
  away.type('meanwhile. ')
  const other = await scene.join('doc')
  other.type('lost. ')
  await scene.seen('doc', 'lost. ')
  other.provider.disconnect()

  await scene.restore(backup)
  away.provider.connect()
  await until('what was written offline is there', () => away.isSynced)
  await scene.seen('doc', 'meanwhile. ')
  assert.equal(await readText(scene.server, 'doc'), 'before. meanwhile. ')
  assert.deepEqual(away.closeCodes.filter(code => code === generationChanged), [])
}))

test('I8: a client that says which generation it has is told by that alone', () => Scene.run(async scene => {
  const writer = await scene.join('doc')
  writer.type('text')
  await scene.seen('doc', 'text')
  const backup = await scene.backUp('backup.db')
  writer.provider.disconnect()
  await scene.restore(backup)

  const old = await RawClient.connect(`${scene.server.url}/doc?ack=1&generation=1`)
  assert.equal(await within(5_000, 'it is told', old.closed), generationChanged)
  assert.equal(old.closeReason, 'generation_changed')
  assert.deepEqual(old.messages, [])
  const today = await RawClient.connect(`${scene.server.url}/doc?ack=1&generation=2`)
  await today.sync()
  assert.equal(today.generation, 2)
  assert.equal(today.doc.getText('content').toString(), 'text')
  await today.close()
}))

test('F24: backup under load, kill, restore: the backup has all that was saved before, and clients are told',
  { timeout: 60_000 }, () => Scene.run(async scene => {
    const random = new Random(seed)
    const where = `SEED=${seed}`
    const ledger = new Ledger()
    const backup = join(scene.folder, 'backup.db')
    let before
    const { writers } = await within(30_000, 'the load', ledger.load(scene.server, 'doc', 0, random, async () => {
      await pause(1_000)
      before = tokensIn(await readText(scene.server, 'doc'))
      await succeed('backup', backup, '--data', scene.data)
      await pause(500)
      const killed = palimpsest('backup', join(scene.folder, 'other.db'), '--data', scene.data)
      await pause(random.integer(0, 50))
      scene.server.process.kill('SIGKILL')
      await killed
    }))
    assert.ok(before.length > 0, where)
    const { stdout, status } = await palimpsest('restore', backup, '--data', scene.data)
    assert.equal(status, 0, where)
    assert.match(stdout, /before-restore-/, where)
    assert.match(await succeed('check', '--data', scene.data), /all well/, where)
    scene.server = await scene.server.again()

    const restored = await readText(scene.server, 'doc')
    checkTokens(restored, where)
    const there = new Set(tokensIn(restored))
    assert.deepEqual(before.filter(token => !there.has(token)), [], `${where}: R7: saved before the backup, and missing`)

    for (const { doc } of writers) {
      const text = doc.getText('content').toString()
      const back = await RawClient.connect(`${scene.server.url}/doc`, doc)
      await back.sync()
      assert.equal(await within(5_000, 'an old copy is told', back.closed), generationChanged, where)
      assert.equal(doc.getText('content').toString(), text, `${where}: the copy is as it was`)
    }
    assert.equal(await readText(scene.server, 'doc'), restored, `${where}: nothing was merged`)
    const next = await scene.join('doc')
    next.type('<next:0>')
    await scene.seen('doc', '<next:0>')
    checkTokens(await readText(scene.server, 'doc'), where)
  }))

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { allRoots } from './support/random-session.js'
import { editDocument } from './support/random-edits.js'
import { Random } from './support/random.js'
import { message, RawClient } from './support/raw-client.js'
import { Server } from './support/server.js'
import { agreement, StockClient, versions } from './support/stock-client.js'
import { pause, until, within } from './support/wait.js'
import { Y } from './support/yjs.js'

/** Stock y-websocket providers, and a raw socket, against a running server. */

let server
let folder
let rooms = 0

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'palimpsest-test-'))
  server = await Server.start(folder)
})

after(async () => {
  if (server?.isRunning) await server.kill()
  await rm(folder, { recursive: true, force: true })
})

const newRoom = () => `room-${++rooms}`
const rawUrl = (room, query = '') => `${server.url}/${room}${query}`

/** Clients that leave when the test is over, whatever its end. */
async function withClients(work) {
  const clients = []
  const join = (room, options) => {
    const client = new StockClient(server.url, room, options)
    clients.push(client)
    return client
  }
  try {
    return await work(join)
  } finally {
    for (const client of clients) client.leave()
  }
}

const allSynced = clients => until('all clients are in sync', () => clients.every(client => client.isSynced))

async function allAgree(clients) {
  const differing = () => new Set(clients.map(client => agreement(client.doc))).size
  await until(() => `all clients have the same document, there are ${differing()}`, () => differing() === 1, 20_000)
}

describe('with stock providers', () => {
  for (const version of versions) {
    test(`y-websocket ${version}: an empty document is in sync at once`, () => withClients(async join => {
      const client = join(newRoom(), { version })
      await until('the provider is in sync', () => client.isSynced, 3_000)
      assert.equal(client.text, '')
    }))

    test(`y-websocket ${version}: what one types, the other and a late comer have`, () => withClients(async join => {
      const room = newRoom()
      const [one, other] = [join(room, { version }), join(room, { version: '3.1' })]
      await allSynced([one, other])
      one.type('from one, ')
      await until('the other sees it', () => other.text === 'from one, ')
      other.type('from the other')
      await until('one sees it', () => one.text === 'from one, from the other')
      const late = join(room, { version })
      await until('the late comer sees it all', () => late.text === 'from one, from the other')
    }))

    test(`y-websocket ${version}: presence is seen, and cleared when the connection breaks`, () => withClients(async join => {
      const room = newRoom()
      const [one, other] = [join(room, { version }), join(room, { version })]
      one.provider.awareness.setLocalStateField('user', { name: 'Ada 🙂' })
      const seen = () => other.provider.awareness.getStates().get(one.doc.clientID)
      await until('the other sees who is there', () => seen()?.user?.name === 'Ada 🙂')
      one.provider.shouldConnect = false
      one.breakConnection()
      await until('the other sees that nobody is there', () => seen() === undefined, 5_000)
    }))

    test(`y-websocket ${version}: what was typed offline is there after coming back`, () => withClients(async join => {
      const room = newRoom()
      const [one, other] = [join(room, { version }), join(room, { version })]
      await allSynced([one, other])
      one.provider.disconnect()
      one.type('offline ')
      other.type('online ')
      one.provider.connect()
      await allAgree([one, other])
      assert.match(other.text, /offline /)
      assert.match(other.text, /online /)
    }))
  }

  test('a document name is taken as it stands, and behind /sync/ too', () => withClients(async join => {
    for (const name of ['notes/today', 'mit Leerzeichen', 'emoji 🙂']) {
      const one = join(encodeURI(name))
      const other = join(`sync/${encodeURI(name)}`)
      one.type(name)
      await until(`${name} is one document on both ways`, () => other.text === name)
    }
  }))

  const sessions = Number(process.env.SESSIONS ?? 24)
  test(`${sessions} random sessions of three to six people, who come and go, end in one document each`, async () => {
    const first = Number(process.env.SEED ?? 1)
    const seeds = Array.from({ length: process.env.SEED === undefined ? sessions : 1 }, (_, i) => first + i)
    const workers = Array.from({ length: 6 }, async () => {
      while (seeds.length > 0) await randomSession(seeds.shift())
    })
    await Promise.all(workers)
  })
})

async function randomSession(seed) {
  const random = new Random(seed)
  const room = newRoom()
  await withClients(async join => {
    const clients = Array.from({ length: random.integer(3, 6) }, () =>
      join(room, { version: random.pick(versions), doc: new Y.Doc({ gc: random.chance(0.8) }) }))
    for (let step = random.integer(30, 80); step > 0; step--) {
      const client = random.pick(clients)
      random.weighted([
        [10, () => editDocument(random, client.doc, allRoots, { cutPairs: false })],
        [1, () => client.provider.disconnect()],
        [2, () => client.provider.connect()],
        [1, () => client.breakConnection()]
      ])()
      if (random.chance(0.5)) await pause(random.integer(0, 20))
    }
    for (const client of clients) client.provider.connect()
    clients.push(join(room))
    await allSynced(clients)
    await allAgree(clients)
  }).catch(error => {
    throw new Error(`SEED=${seed}: ${error.message}`)
  })
}

describe('acknowledgements', () => {
  const updatesOf = (count, doc = new Y.Doc()) => {
    const updates = []
    doc.on('update', update => updates.push(update))
    for (let i = 0; i < count; i++) doc.getText('content').insert(0, `${i} `)
    return updates
  }

  test('?ack=1: the first message is a zero with the generation of the document', async () => {
    const client = await RawClient.connect(rawUrl(newRoom(), '?ack=1'))
    await client.sync()
    assert.deepEqual(client.messages[0], { type: 8, count: 0 })
    assert.ok(client.generation >= 0)
    await client.close()
  })

  test('?ack=1: every update and every sync step 2 counts once, new or not', async () => {
    const client = await RawClient.connect(rawUrl(newRoom(), '?ack=1'))
    const updates = updatesOf(20)
    client.send(message.syncStep2(updates[0]), ...updates.map(message.update), message.update(updates[3]))
    await until(() => `22 are counted, so far ${client.acknowledged}`, () => client.acknowledged === 22, 5_000)
    await pause(100)
    assert.equal(client.acknowledged, 22)
    await client.close()
  })

  test('?ack=1: an update from offline times, with its age, counts too', async () => {
    const client = await RawClient.connect(rawUrl(newRoom(), '?ack=1'))
    client.send(...updatesOf(3).map(update => message.agedUpdate(3_600_000, update)))
    await until('three are counted', () => client.acknowledged === 3, 5_000)
    await client.close()
  })

  test('?ack=1: what waits for something missing counts when that has come', async () => {
    const client = await RawClient.connect(rawUrl(newRoom(), '?ack=1'))
    const [first, second, third] = updatesOf(3)
    client.send(message.update(third), message.update(second))
    await client.sync()
    await pause(200)
    assert.equal(client.acknowledged, 0)
    client.send(message.update(first))
    await until('all three are counted', () => client.acknowledged === 3, 5_000)
    await client.close()
  })

  test('?ack=1: several messages in one frame are served in order', async () => {
    const room = newRoom()
    const client = await RawClient.connect(rawUrl(room, '?ack=1'))
    const doc = new Y.Doc()
    client.sendTogether(message.syncStep1(client.doc), ...updatesOf(5, doc).map(message.update))
    await until('five are counted', () => client.acknowledged === 5, 5_000)
    assert.ok(client.synced)
    const reader = await RawClient.connect(rawUrl(room))
    await reader.sync()
    assert.equal(reader.doc.getText('content').toString(), doc.getText('content').toString())
    await Promise.all([client.close(), reader.close()])
  })

  test('?ack=echo: the author gets the own updates back', async () => {
    const client = await RawClient.connect(rawUrl(newRoom(), '?ack=echo'))
    await client.sync()
    const doc = new Y.Doc()
    client.send(...updatesOf(10, doc).map(message.update))
    const text = () => client.doc.getText('content').toString()
    await until('they are back', () => text() === doc.getText('content').toString(), 5_000)
    assert.ok(client.messages.every(({ type }) => type !== 8))
    await client.close()
  })

  test('without ?ack a client gets neither a count nor its own updates', async () => {
    const room = newRoom()
    const client = await RawClient.connect(rawUrl(room))
    const reader = await RawClient.connect(rawUrl(room))
    await Promise.all([client.sync(), reader.sync()])
    const doc = new Y.Doc()
    client.send(...updatesOf(5, doc).map(message.update))
    await until('the reader has them', () =>
      reader.doc.getText('content').toString() === doc.getText('content').toString(), 5_000)
    assert.ok(client.messages.every(({ type }) => type !== 8))
    assert.equal(client.doc.getText('content').toString(), '')
    await Promise.all([client.close(), reader.close()])
  })
})

describe('bad input', () => {
  const bad = {
    'an empty message': [],
    'a message of an unknown kind': [77],
    'a sync message of an unknown kind': [0, 9, 0],
    'half a message': [0, 2, 200],
    'an update that claims more than it has': [0, 2, 5, 0xff, 0xff, 0xff, 0xff, 0x07],
    'an update with bytes after its end': [0, 2, 3, 0, 0, 0],
    'a state vector that claims two billion clients': [0, 0, 5, 0xff, 0xff, 0xff, 0xff, 0x07],
    'an awareness update that is none': [1, 3, 1, 1, 1],
    'a number that never ends': [0, 2, ...Array(12).fill(0xff)],
    'a good message with rubbish behind it': [0, 0, 1, 0, 77]
  }
  for (const [what, bytes] of Object.entries(bad)) {
    test(`${what} closes that connection with 4400, and nobody else notices`, () => withClients(async join => {
      const room = newRoom()
      const bystander = join(room)
      bystander.type('untouched')
      await allSynced([bystander])
      const client = await RawClient.connect(rawUrl(room))
      client.send(Uint8Array.from(bytes))
      assert.equal(await within(5_000, 'the connection closes', client.closed), 4400)
      assert.match(client.closeReason, /^[a-z_]+$/)
      assert.deepEqual(bystander.closeCodes, [])
      const reader = join(room)
      await until('the document is as it was', () => reader.text === 'untouched')
    }))
  }

  test('a text frame closes the connection with 1003', async () => {
    const client = await RawClient.connect(rawUrl(newRoom()))
    client.socket.send('hello')
    assert.equal(await within(5_000, 'the connection closes', client.closed), 1003)
  })
})

test('a restart closes with 1012, and everybody comes back with nothing lost', async () => {
  const data = await mkdtemp(join(tmpdir(), 'palimpsest-test-'))
  let own = await Server.start(data)
  const clients = versions.map(version => new StockClient(own.url, 'restart', { version }))
  try {
    await allSynced(clients)
    const typed = []
    const typing = setInterval(() => clients.forEach((client, i) => {
      const token = `<${i}:${typed.length}>`
      typed.push(token)
      client.type(token)
    }), 5)
    await pause(300)
    assert.deepEqual(await own.stop(), { code: 0, signal: null })
    await until('all connections are closed', () => clients.every(client => client.closeCodes.length > 0))
    for (const client of clients) assert.equal(client.closeCodes[0], 1012)
    own = await own.again()
    await pause(500)
    clearInterval(typing)
    await allSynced(clients)
    clients.push(new StockClient(own.url, 'restart'))
    await allSynced(clients)
    await allAgree(clients)
    const text = clients.at(-1).text
    for (const token of typed) assert.equal(text.split(token).length, 2, `${token} is there once`)
  } finally {
    for (const client of clients) client.leave()
    if (own.isRunning) await own.kill()
    await rm(data, { recursive: true, force: true })
  }
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withFolder } from './support/palimpsest.js'
import { Random } from './support/random.js'
import { message, RawClient } from './support/raw-client.js'
import { Server } from './support/server.js'
import { pause, within } from './support/wait.js'
import { Y } from './support/yjs.js'

/**
 * The promise of an acknowledgement: what a writer was told to be saved, and what anybody else was
 * shown, is there after `kill -9`. Each round kills the server under load at a random moment and
 * asks the next one through a client that knows nothing; the writers never come back to help.
 *
 * `ROUNDS=n` kills n times, `SEED=n` repeats the moments of a run.
 */
const rounds = Number(process.env.ROUNDS ?? 25)
const seed = Number(process.env.SEED ?? Date.now() % 1e6)
const roundsPerDocument = 5

test(`nothing acknowledged or seen is missing after ${rounds} times kill -9`, { timeout: 60_000 + rounds * 3_000 },
  () => withFolder(async folder => {
    const random = new Random(seed)
    const sum = { acknowledged: 0, seen: 0, typed: 0 }
    let server = await Server.start(folder)
    let promised = new Set()
    try {
      for (let round = 0; round < rounds; round++) {
        const documentName = `crash-${Math.floor(round / roundsPerDocument)}`
        if (round % roundsPerDocument === 0) promised = new Set()
        const told = await loadAndKill(server, documentName, round, random)
        for (const token of [...told.acknowledged, ...told.seen]) promised.add(token)
        sum.acknowledged += told.acknowledged.length
        sum.seen += told.seen.length
        sum.typed += told.typed
        server = await server.again()
        check(await textOf(server, documentName), promised, `SEED=${seed}, round ${round}`)
      }
    } finally {
      await server.kill()
    }
    console.log(`${rounds} kills: ${sum.typed} typed, ${sum.acknowledged} acknowledged, ${sum.seen} seen by another`)
    assert.ok(sum.acknowledged > rounds && sum.seen > rounds, 'the rounds had something to lose')
  }))

/** Types until the server is gone; answers what it had promised by then. */
async function loadAndKill(server, documentName, round, random) {
  const writers = await Promise.all(Array.from({ length: 4 }, (_, i) => Writer.connect(server, documentName, `${round}.${i}`)))
  const observer = await RawClient.connect(`${server.url}/${documentName}`)
  await observer.sync()
  const before = new Set(tokensIn(observer.doc.getText('content').toString()))
  for (const writer of writers) writer.start(random.integer(1, 20))
  await pause(random.integer(50, 500))
  await server.kill()
  // What was on its way when the server died still arrives, and was told.
  await within(5_000, 'all sockets notice', Promise.all([observer, ...writers.map(({ client }) => client)].map(({ closed }) => closed)))
  return {
    acknowledged: writers.flatMap(writer => writer.acknowledgedTokens()),
    seen: tokensIn(observer.doc.getText('content').toString()).filter(token => !before.has(token)),
    typed: writers.reduce((count, { tokens }) => count + tokens.length, 0)
  }
}

/** Somebody who inserts one unique token after another, with so many on the way at most. */
class Writer {
  static async connect(server, documentName, name) {
    const writer = new Writer()
    writer.name = name
    writer.tokens = []
    writer.client = await RawClient.connect(`${server.url}/${documentName}?ack=1`)
    await writer.client.sync()
    writer.client.doc.on('update', (update, origin) => {
      if (origin !== 'remote') writer.client.send(message.update(update))
    })
    return writer
  }

  async start(mostOnTheWay) {
    const content = this.client.doc.getText('content')
    while (this.client.closeCode === null && this.client.socket.readyState === this.client.socket.OPEN) {
      while (this.tokens.length - this.client.acknowledged < mostOnTheWay) {
        const token = `<${this.name}:${this.tokens.length}>`
        this.tokens.push(token)
        // Whole tokens at the ends, or right in the middle of other people's typing.
        content.insert(this.tokens.length % 2 === 0 ? 0 : content.length, token)
      }
      await pause(1)
    }
  }

  /** Updates are acknowledged in their order, one token each. */
  acknowledgedTokens() {
    return this.tokens.slice(0, this.client.acknowledged)
  }
}

async function textOf(server, documentName) {
  const stranger = await RawClient.connect(`${server.url}/${documentName}`)
  await stranger.sync()
  await stranger.close()
  return stranger.doc.getText('content').toString()
}

const tokensIn = text => text.match(/<[^<>]*>/g) ?? []

function check(text, promised, where) {
  const counts = new Map()
  for (const token of tokensIn(text)) counts.set(token, (counts.get(token) ?? 0) + 1)
  const missing = [...promised].filter(token => !counts.has(token))
  const repeated = [...counts].filter(([, count]) => count > 1).map(([token]) => token)
  assert.deepEqual(missing, [], `${where}: promised and missing`)
  assert.deepEqual(repeated, [], `${where}: there more than once`)
  assert.equal(text.replace(/<[^<>]*>/g, ''), '', `${where}: no half tokens`)
}

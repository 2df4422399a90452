import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { promisify } from 'node:util'
import { message, RawClient } from './raw-client.js'
import { pause, until, within } from './wait.js'
import { Y } from './yjs.js'

/**
 * People who type under load, and what the server owes them. Everybody inserts one unique token
 * after another and writes down what was acknowledged; somebody else writes down what was seen.
 *
 * After whatever happened to the server, `check` asks it through clients that know nothing:
 *
 * - V1: what was acknowledged, or seen by another, is there once
 * - V2: nothing is there twice
 * - V3: each writer's tokens are in the order in which they were typed
 * - V4: a writer who comes back and a stranger have the same document
 * - V5: a writer who comes back has lost nothing of what had not been acknowledged
 * - V6: `verifyStore`
 * - V7: the log has no word about documents' content
 */
export class Ledger {
  sum = { typed: 0, acknowledged: 0, seen: 0 }
  #promised = new Map() // document → Set of tokens

  /** Has `count` people type until the server is gone, to which `end` may see once they do. */
  async load(server, documentName, round, random, end, count = 4) {
    const writers = await Promise.all(Array.from({ length: count },
      (_, i) => Writer.connect(server, documentName, `${round}.${i}`)))
    const observer = await RawClient.connect(`${server.url}/${documentName}`)
    await observer.sync()
    const before = new Set(tokensIn(textOf(observer.doc)))
    for (const writer of writers) writer.start(random.integer(1, 20))
    await end?.()
    const ended = await server.exited
    // What was on its way when the server died still arrives, and was told.
    await within(10_000, 'all sockets notice',
      Promise.all([observer, ...writers.map(({ client }) => client)].map(({ closed }) => closed)))
    this.#note(documentName, writers, tokensIn(textOf(observer.doc)).filter(token => !before.has(token)))
    return { writers, ended }
  }

  #note(documentName, writers, seen) {
    const promised = this.#promised.get(documentName) ?? new Set()
    this.#promised.set(documentName, promised)
    for (const writer of writers) {
      for (const token of writer.acknowledgedTokens()) promised.add(token)
      this.sum.acknowledged += writer.acknowledgedTokens().length
      this.sum.typed += writer.tokens.length
    }
    for (const token of seen) promised.add(token)
    this.sum.seen += seen.length
  }

  async check(server, documentName, writers, where) {
    const found = await readText(server, documentName)
    checkTokens(found, where)
    const there = new Set(tokensIn(found))
    const missing = [...this.#promised.get(documentName)].filter(token => !there.has(token))
    assert.deepEqual(missing, [], `${where}: V1: promised and missing`)

    const back = writers[0]
    await back.comeBack(server, documentName)
    const text = await readText(server, documentName)
    checkTokens(text, where)
    assert.equal(text, textOf(back.client.doc), `${where}: V4: two replicas differ`)
    const now = new Set(tokensIn(text))
    assert.deepEqual(back.tokens.filter(token => !now.has(token)), [], `${where}: V5: typed and lost`)
    await back.client.close()
    assert.doesNotMatch(server.log, tokenPattern, `${where}: V7: the log has content`)
  }
}

const tokenPattern = /<\d+\.\d+:\d+>/
const textOf = doc => doc.getText('content').toString()
export const tokensIn = text => text.match(/<[^<>]*>/g) ?? []

/** Somebody who inserts one unique token after another, with so many on the way at most. */
export class Writer {
  static async connect(server, documentName, name) {
    const writer = new Writer()
    writer.name = name
    writer.tokens = []
    writer.doc = new Y.Doc()
    await writer.#connect(server, documentName)
    return writer
  }

  async #connect(server, documentName) {
    const client = this.client = await RawClient.connect(`${server.url}/${documentName}?ack=1`, this.doc)
    await client.sync()
    this.unsubscribe?.()
    const onUpdate = (update, origin) => {
      if (origin !== 'remote') client.send(message.update(update))
    }
    this.doc.on('update', onUpdate)
    this.unsubscribe = () => this.doc.off('update', onUpdate)
  }

  type(text = '') {
    const content = this.doc.getText('content')
    const token = `<${this.name}:${this.tokens.length}${text}>`
    this.tokens.push(token)
    // Whole tokens at the ends, or right in the middle of other people's typing.
    content.insert(this.tokens.length % 2 === 0 ? 0 : content.length, token)
  }

  async start(mostOnTheWay) {
    const { client } = this
    while (client.closeCode === null && client.socket.readyState === client.socket.OPEN) {
      while (this.tokens.length - client.acknowledged < mostOnTheWay) this.type()
      await pause(1)
    }
  }

  /** Updates are acknowledged in their order, one token each. */
  acknowledgedTokens() {
    return this.tokens.slice(0, this.client.acknowledged)
  }

  /** Sends all that it has, as a provider does, and waits until that is saved. */
  async comeBack(server, documentName) {
    await this.#connect(server, documentName)
    this.client.send(message.syncStep2(Y.encodeStateAsUpdate(this.doc)))
    await until('what the writer came back with is acknowledged', () => this.client.acknowledged === 1)
  }
}

export async function readText(server, documentName) {
  const stranger = await RawClient.connect(`${server.url}/${documentName}`)
  await stranger.sync()
  await stranger.close()
  return textOf(stranger.doc)
}

/** V2, V3, and that nothing is there in halves. */
export function checkTokens(text, where) {
  const tokens = tokensIn(text)
  const counts = new Map()
  for (const token of tokens) counts.set(token, (counts.get(token) ?? 0) + 1)
  assert.deepEqual([...counts].filter(([, count]) => count > 1), [], `${where}: V2: there more than once`)
  assert.equal(text.replace(/<[^<>]*>/g, ''), '', `${where}: no half tokens`)
  const orders = new Map() // what a writer put in front comes newest first, what at the end oldest first
  for (const token of tokens) {
    const [, writer, digits] = /^<([^:]*):(\d+)/.exec(token)
    const number = Number(digits)
    const isInFront = number % 2 === 1
    const key = `${writer} ${isInFront}`
    const last = orders.get(key)
    assert.ok(last === undefined || (isInFront ? number < last : number > last), `${where}: V3: ${token} out of order`)
    orders.set(key, number)
  }
}

const run = promisify(execFile)

/** V6: SQLite's own check, and every checksum and sequence number of the store. */
export async function verifyStore(folder, where) {
  const program = process.env.PALIMPSEST_STORE_CHECK ??
    resolve(import.meta.dirname, '../../../build/release/tests/interop/store_check')
  assert.ok(existsSync(program), 'scripts/test crash builds store_check')
  const { stdout } = await run(program, [folder]).catch(error => ({ stdout: error.stdout + error.stderr }))
  assert.equal(stdout, '', `${where}: V6: the store is not whole`)
}

import assert from 'node:assert/strict'
import { test } from 'node:test'
import Ajv from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { withFolder } from './support/palimpsest.js'
import { message, RawClient } from './support/raw-client.js'
import { Server } from './support/server.js'
import { until } from './support/wait.js'

/** The server is held to what it says of itself at /api/openapi.json. */

/** What a description says of one request, and whether an answer is as it says. */
class Description {
  constructor(document) {
    this.document = document
    this.called = new Set()
    this.ajv = new Ajv({ strict: false, allErrors: true })
    addFormats(this.ajv)
    this.ajv.addSchema(document, 'openapi')
  }

  get operations() {
    return Object.entries(this.document.paths).flatMap(([path, item]) =>
      Object.entries(item).filter(([key]) => key !== 'parameters').map(([, { operationId }]) => operationId))
  }

  find(operationId) {
    for (const [path, item] of Object.entries(this.document.paths)) {
      for (const [method, operation] of Object.entries(item)) {
        if (operation.operationId === operationId) return { path, method, item, operation }
      }
    }
    throw new Error(`${operationId}: is not described`)
  }

  resolve(part) {
    if (part?.$ref === undefined) return part
    return part.$ref.slice(2).split('/').reduce((inner, key) => inner[key.replaceAll('~1', '/')], this.document)
  }

  check(schema, value, what) {
    const absolute = JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"openapi#/'))
    const validate = this.ajv.compile(absolute)
    assert.ok(validate(value), `${what}: ${this.ajv.errorsText(validate.errors)}\n${JSON.stringify(value)?.slice(0, 2000)}`)
  }

  checkParameters({ item, operation }, query) {
    const known = [...item.parameters ?? [], ...operation.parameters ?? []].map(each => this.resolve(each))
    for (const key of Object.keys(query)) {
      assert.ok(known.some(({ name, in: place }) => place === 'query' && name === key), `${key}: is no parameter`)
    }
  }

  async checkAnswer(operationId, response) {
    const { operation } = this.find(operationId)
    const described = this.resolve(operation.responses[response.status] ?? operation.responses.default)
    if (described.content === undefined) {
      assert.equal((await response.arrayBuffer()).byteLength, 0, `${operationId}: an answer that is not described`)
      this.called.add(operationId)
      return undefined
    }
    const mediaType = response.headers.get('content-type').split(';')[0]
    const what = `${operationId}, ${response.status}, ${mediaType}`
    assert.ok(described.content[mediaType], `${what}: another media type than described`)
    if (response.ok) this.called.add(operationId)
    const bytes = Buffer.from(await response.arrayBuffer())
    if (!mediaType.endsWith('json')) return bytes
    const value = JSON.parse(bytes)
    this.check(described.content[mediaType].schema, value, what)
    return value
  }
}

/** A server, and what it says of itself. */
async function withServer(work) {
  await withFolder(async data => {
    const server = await Server.start(data)
    try {
      const { text } = await server.get('/api/openapi.json')
      await work(new Caller(server, new Description(JSON.parse(text))))
    } finally {
      await server.kill()
    }
  })
}

class Caller {
  constructor(server, description) {
    this.server = server
    this.description = description
  }

  /** One request, as described; answers what was answered, which is as described too. */
  async call(operationId, { name = '', query = {}, body, bytes, status } = {}) {
    const { description } = this
    const { path, method, item, operation } = description.find(operationId)
    description.checkParameters({ item, operation }, query)
    if (body !== undefined) {
      description.check(operation.requestBody.content['application/json'].schema, body, `${operationId}, request`)
    }
    const url = `http://127.0.0.1:${this.server.port}${path.replace('{name}', encodeURIComponent(name))}`
    const sent = bytes ?? (body !== undefined ? JSON.stringify(body) : undefined)
    const response = await fetch(`${url}?${new URLSearchParams(query)}`, {
      method: method.toUpperCase(),
      body: sent,
      headers: sent === undefined ? {} : { 'content-type': bytes ? 'application/octet-stream' : 'application/json' }
    })
    const answer = await description.checkAnswer(operationId, response)
    assert.equal(response.status, status ?? Number(Object.keys(operation.responses).find(each => each.startsWith('2'))),
      `${operationId}: ${JSON.stringify(answer)}`)
    return answer
  }

  /** Types as somebody would, one update for each of `edits`, and waits until all is on disk. */
  async write(name, ...edits) {
    const client = await RawClient.connect(`${this.server.url}/${name}?ack=1`)
    await client.sync()
    client.doc.on('update', (update, origin) => {
      if (origin !== 'remote') client.send(message.update(update))
    })
    for (const edit of edits) client.doc.transact(() => edit(client.doc))
    await until('all of it is saved', () => client.acknowledged === edits.length)
    await client.close()
  }

  /** Asks until something is found: the index follows what is written. */
  async search(query) {
    let page
    await until('it is found', async () => {
      page = await this.call('search', { query })
      return page.documents.length > 0
    })
    return page
  }
}

test('every answer is as /api/openapi.json says, and every operation has been asked', () =>
  withServer(async server => {
    await server.call('healthz')
    await server.call('readyz')
    await server.call('openapi')
    await server.call('createDocument')

    const name = 'notes'
    await server.write(name,
      doc => doc.getText('content').insert(0, '# The ferry\nstopped running in October\n'),
      doc => doc.getText('content').delete(2, 4),
      doc => doc.getMap('meta').set('by', 'somebody'))
    const listed = await server.call('listDocuments', { query: { limit: '10', sort: 'title' } })
    assert.equal(listed.documents.length, 1)
    await server.call('editDocument', { name, body: { title: 'Ferries', tags: ['sea'], starred: true } })
    const tagged = await server.call('listDocuments', { query: { query: 'ferries', tag: 'sea', starred: '1' } })
    assert.equal(tagged.documents.length, 1)
    await server.call('getDocument', { name })

    for (const group of ['burst', 'sitting']) await server.call('timeline', { name, query: { group, limit: '5' } })
    await server.call('activity', { name, query: { bucket: '60' } })
    for (const format of ['binary', 'json']) await server.call('weave', { name, query: { format, root: 'content' } })
    for (const format of ['json', 'text']) await server.call('diff', { name, query: { from: '0', to: '2', format } })
    await server.call('blame', { name, query: { at: '1' } })
    const found = await server.call('searchHistory', { name, query: { q: 'The' } })
    assert.equal(found.occurrences.length, 1)
    for (const format of ['text', 'json', 'update']) await server.call('content', { name, query: { format, at: '1' } })

    await server.call('nameVersion', { name, body: { name: 'draft', at: 1, by: 'Ada' } })
    await server.call('versions', { name })
    await server.call('restore', { name, body: { at: 'v:draft', by: 'Ada' } })
    await server.call('restore', { name, body: { from: 1, to: 2 } })
    await server.call('fork', { name, body: { name: 'copy', at: 'v:draft' } })
    await server.call('purge', { name: 'copy', body: { text: 'October', reason: 'a secret' } })
    const { purges } = await server.call('purges', { name: 'copy' })
    assert.equal(purges.length, 1)
    await server.call('thin', { name, body: { olderThanDays: 90, dryRun: true } })

    const file = await server.call('exportDocument', { name })
    await server.call('importDocuments', { query: { name: 'again' }, bytes: file })
    await server.call('importDocuments', { query: { name: 'plain', format: 'text' }, bytes: Buffer.from('plain') })
    await server.search({ q: 'plain' })
    await server.search({ q: 'ferry', in: 'past' })

    await server.call('binDocument', { name: 'copy' })
    const bin = await server.call('listDocuments', { query: { bin: '1' } })
    assert.equal(bin.documents.length, 1)
    await server.call('undeleteDocument', { name: 'copy' })
    await server.call('purge', { name: 'copy', body: { document: true }, status: 409 })
    await server.call('binDocument', { name: 'copy' })
    await server.call('purge', { name: 'copy', body: { document: true, by: 'Ada' } })
    await server.call('purges', { name: 'copy' })

    const { operations, called } = server.description
    assert.deepEqual(operations.filter(each => !called.has(each)), [], 'never asked')
  }))

test('what is refused is described too', () =>
  withServer(async server => {
    await server.write('notes', doc => doc.getText('content').insert(0, 'words'))
    for (const operationId of ['getDocument', 'timeline', 'versions', 'exportDocument']) {
      await server.call(operationId, { name: 'nobody wrote this', status: 404 })
    }
    await server.call('restore', { name: 'notes', body: { at: 1_000_000 }, status: 404 })
    await server.call('listDocuments', { query: { sort: 'sideways' }, status: 400 })
  }))

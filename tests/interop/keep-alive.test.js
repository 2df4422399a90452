import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Server } from './support/server.js'
import { StockClient, versions } from './support/stock-client.js'
import { withFolder } from './support/palimpsest.js'
import { pause, until } from './support/wait.js'

/**
 * Stock providers give a connection up after 30 s without a data frame, and look every 3 s. Those
 * that show no presence hear of nobody's, not even of their own.
 */
test('idle clients of every version stay connected, with presence and without', () => withFolder(async folder => {
  const server = await Server.start(folder)
  const clients = versions.flatMap(version => [true, false].map(present => {
    const client = new StockClient(server.url, `idle-${version}-${present}`, { version })
    if (!present) client.provider.awareness.setLocalState(null)
    return client
  }))
  try {
    await until('all are in sync', () => clients.every(client => client.isSynced))
    await pause(36_000)
    for (const client of clients) {
      assert.deepEqual(client.closeCodes, [])
      assert.deepEqual(client.statuses, ['connecting', 'connected'].slice(-client.statuses.length))
      assert.ok(client.isSynced)
    }
  } finally {
    for (const client of clients) client.leave()
    await server.kill()
  }
}))

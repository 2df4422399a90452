// What the stores of other servers take on disk for the work of one input.
//
// usage: node stores.mjs INPUT
//   INPUT is a folder: see input.mjs.
//
// Prints one line of JSON, {"yLeveldb": bytes | null, "hocuspocus": bytes | null}: null where what it
// takes to measure is not here.

import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Input } from './input.mjs'

const require = createRequire(import.meta.url)
const documentName = 'document'

const bytesIn = folder => readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0)

/** Each update as it comes, which is what y-websocket's server has it do while a document is open. */
async function yLeveldb(input, folder) {
  let LeveldbPersistence
  try {
    ({ LeveldbPersistence } = require('y-leveldb'))
  } catch {
    return null
  }
  const persistence = new LeveldbPersistence(folder)
  for (const update of input.updates('yjs')) await persistence.storeUpdate(documentName, update)
  await persistence.destroy()
  return bytesIn(folder)
}

/** The last state, which is all that the extension keeps; the table is that of its version 4. */
async function hocuspocus(input, folder) {
  let initSqlJs
  try {
    initSqlJs = require('sql.js')
  } catch {
    return null
  }
  const { Database } = await initSqlJs()
  const store = new Database()
  store.run('CREATE TABLE IF NOT EXISTS "documents" ("name" varchar(255) NOT NULL, "data" blob NOT NULL, UNIQUE(name))')
  store.run('INSERT INTO "documents" ("name", "data") VALUES (?, ?)', [documentName, input.bytes('yjs.state')])
  writeFileSync(join(folder, 'db.sqlite'), store.export())
  store.close()
  return bytesIn(folder)
}

async function measured(store, input) {
  const folder = mkdtempSync(join(tmpdir(), 'palimpsest-stores-'))
  try {
    return await store(input, folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const input = new Input(process.argv[2])
console.log(JSON.stringify({
  yLeveldb: await measured(yLeveldb, input),
  hocuspocus: await measured(hocuspocus, input)
}))

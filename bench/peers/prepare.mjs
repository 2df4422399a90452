/**
 * Makes the files of one format in an input, by replaying its trace with the engine of that format.
 *
 * usage: node prepare.mjs ENGINE INPUT
 */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Input, encodeUpdates } from './input.mjs'
import { replay } from './replay.mjs'

export function receiveAll(replica, updates) {
  if (replica.receiveAll !== undefined) replica.receiveAll(updates)
  else for (const update of updates) replica.receive(update)
}

/**
 * Writes what `updates` come to in the format of `Replica`, after checking it.
 *
 * @param {string} folder
 * @param {string | undefined} content what the document has to say in the end, if that is known
 * @returns {string} what it says
 */
export function writeFormat(folder, Replica, updates, kind, content) {
  const server = new Replica()
  const half = Math.floor(updates.length / 2)
  receiveAll(server, updates.slice(0, half))
  const halfWay = server.version()
  receiveAll(server, updates.slice(half))
  const says = server.content(kind)
  if (content !== undefined && says !== content) throw new Error(`another ${kind} than expected`)

  const write = (name, bytes) => writeFileSync(join(folder, `${Replica.format}.${name}`), bytes)
  write('updates', encodeUpdates(updates))
  write('state', server.encode())
  if (server.encodeV2 !== undefined) write('state2', server.encodeV2())
  write('half', halfWay)
  server.free()
  return says
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [engine, folder] = process.argv.slice(2)
  if (folder === undefined) {
    console.error('usage: node prepare.mjs ENGINE INPUT')
    process.exit(2)
  }
  const { Replica } = await import(`./engines/${engine}.mjs`)
  const input = new Input(folder)
  writeFormat(folder, Replica, replay(input.trace(), Replica), 'text', input.content())
}

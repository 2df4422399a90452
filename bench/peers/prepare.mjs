/**
 * Makes the files of one format in an input, by replaying its trace with the engine of that format.
 *
 * usage: node prepare.mjs ENGINE INPUT
 */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Input, encodeUpdates } from './input.mjs'
import { authors, replay } from './replay.mjs'

export function receiveAll(replica, updates) {
  if (replica.receiveAll !== undefined) replica.receiveAll(updates)
  else for (const update of updates) replica.receive(update)
}

/**
 * Writes what `updates` come to in the format of `Replica`.
 *
 * @param {string} folder
 * @returns {string} what the document says in the end
 */
export function writeFormat(folder, Replica, updates, kind) {
  const server = new Replica()
  const half = Math.floor(updates.length / 2)
  receiveAll(server, updates.slice(0, half))
  const halfWay = server.version()
  receiveAll(server, updates.slice(half))
  const content = server.content(kind)

  const write = (name, bytes) => writeFileSync(join(folder, `${Replica.format}.${name}`), bytes)
  write('updates', encodeUpdates(updates))
  write('state', server.encode())
  if (server.encodeV2 !== undefined) write('state2', server.encodeV2())
  write('half', halfWay)
  write('content', content)
  server.free()
  return content
}

/** Engines order what is written at one place at once as they like, but none may lose any of it. */
function checkContent(content, yjsContent, trace) {
  const comparable = text => authors(trace) === 1 ? text : [...text].sort().join('')
  if (comparable(content) !== comparable(yjsContent)) throw new Error('another text than expected')
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [engine, folder] = process.argv.slice(2)
  if (folder === undefined) {
    console.error('usage: node prepare.mjs ENGINE INPUT')
    process.exit(2)
  }
  const { Replica } = await import(`./engines/${engine}.mjs`)
  const input = new Input(folder)
  const trace = input.trace()
  checkContent(writeFormat(folder, Replica, replay(trace, Replica), 'text'), input.content('yjs'), trace)
}

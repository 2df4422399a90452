import { encoding } from './yjs.js'

/**
 * An update with ContentJSON, as Yjs before version 13 wrote arrays: today's Yjs only reads it.
 * Everything stands at the start of the root, by a client of its own.
 *
 * struct := byte{2} varUint(1) varString(root) varUint(count) varString(json)*
 */
export function jsonContentUpdate(random, root, usedIds) {
  let client
  do client = random.integer(1, 2 ** 32)
  while (usedIds.has(client))
  usedIds.add(client)

  const values = Array.from({ length: random.integer(1, 3) }, () =>
    random.pick(['undefined', 'null', '1.5', '"🙂 json"', '[1,{"a":[]}]', '{"nested":{"b":false}}', '-17']))
  const encoder = encoding.createEncoder()
  for (const number of [1, 1, client, 0]) encoding.writeVarUint(encoder, number) // clients, blocks, client, clock
  encoding.writeUint8(encoder, 2)
  encoding.writeVarUint(encoder, 1)
  encoding.writeVarString(encoder, root)
  encoding.writeVarUint(encoder, values.length)
  for (const value of values) encoding.writeVarString(encoder, value)
  encoding.writeVarUint(encoder, 0) // nothing is deleted
  return encoding.toUint8Array(encoder)
}

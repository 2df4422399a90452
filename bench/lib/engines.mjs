import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { crdtBench, nativePeers } from './paths.mjs'
import { crateVersion, npmVersion, peersFolder } from './peers.mjs'

/**
 * What is measured.
 *
 * @typedef {object} Engine
 * @property {string} id
 * @property {string} label
 * @property {string} format of the updates it takes: ../peers/input.mjs
 * @property {string[]} command
 * @property {boolean} hasV2 it takes update format v2
 * @property {boolean} [isReference] waited for longer, since others are compared with it
 * @property {boolean} [isTwin] the same as a native one, as WebAssembly
 */

/** @returns {Engine} */
function inNode(id, format, packageName, label, { hasV2 = false } = {}) {
  return {
    id,
    label: `${label} ${npmVersion(packageName)}`,
    format,
    hasV2,
    command: ['node', '--expose-gc', '--max-old-space-size=8192', join(peersFolder, 'measure.mjs'), id]
  }
}

/** @returns {Engine} */
function native(id, format, crate, { hasV2 = false } = {}) {
  return {
    id: `native-${id}`, label: `${crate} ${crateVersion(crate)} (Rust)`, format, hasV2, command: [nativePeers, id]
  }
}

/** @type {Engine} */
export const ours = {
  id: 'palimpsest',
  label: 'Palimpsest',
  format: 'yjs',
  hasV2: true,
  command: [crdtBench],
  isReference: true
}

export const yjs = { ...inNode('yjs', 'yjs', 'yjs', 'Yjs', { hasV2: true }), isReference: true }
export const hasNative = existsSync(nativePeers)

const ywasm = { ...inNode('ywasm', 'yjs', 'ywasm', 'ywasm', { hasV2: true }), isTwin: hasNative }
const nativeYrs = native('yrs', 'yjs', 'yrs', { hasV2: true })

/** The one written in Rust that speaks Yjs. */
export const yrs = { ...(hasNative ? nativeYrs : ywasm), isReference: true }

const others = [
  ...(hasNative ? [ywasm, native('loro', 'loro', 'loro'), native('diamond-types', 'diamond-types', 'diamond-types')] : []),
  { ...inNode('loro', 'loro', 'loro-crdt', 'Loro'), isTwin: hasNative },
  { ...inNode('diamond-types', 'diamond-types', 'diamond-types-node', 'diamond-types'), isTwin: hasNative },
  inNode('automerge', 'automerge', '@automerge/automerge', 'Automerge')
]

/** @returns {Engine[]} ours first */
export const engines = quick => [ours, yrs, yjs, ...(quick ? [] : others)]

import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../../', import.meta.url))

/** Where the programs are; PALIMPSEST_BUILD names another build folder, to compare two of them. */
const buildFolder = resolve(root, process.env.PALIMPSEST_BUILD ?? 'build/release')

export const palimpsest = resolve(buildFolder, 'palimpsest')
export const crdtBench = resolve(buildFolder, 'bench/crdt_bench')
export const storageBench = resolve(buildFolder, 'bench/storage_bench')
export const durabilityBench = resolve(buildFolder, 'bench/durability_bench')
export const historyBench = resolve(buildFolder, 'bench/history_bench')
export const load = resolve(buildFolder, 'bench/load')
/** For what is only needed while measuring: on the same disk as the repository. */
export const workFolder = resolve(root, 'build/bench')
/** There only where Rust and its crates can be had. */
export const nativePeers = resolve(root, 'build/peers/release/native-peers')

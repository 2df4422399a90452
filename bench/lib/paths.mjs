import { resolve } from 'node:path'

/** Where the programs are; PALIMPSEST_BUILD names another build folder, to compare two of them. */
const buildFolder = process.env.PALIMPSEST_BUILD ?? 'build/release'

export const palimpsest = resolve(buildFolder, 'palimpsest')
export const crdtBench = resolve(buildFolder, 'bench/crdt_bench')
export const load = resolve(buildFolder, 'bench/load')
/** For what is only needed while measuring: on the same disk as the repository. */
export const workFolder = resolve('build/bench')

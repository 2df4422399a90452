import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

/** What others have made, as installed in ../peers. */

export const peersFolder = fileURLToPath(new URL('../peers/', import.meta.url))

const require = createRequire(join(peersFolder, 'package.json'))

/** The Yjs that everything is compared with. */
export const yjs = await import(pathToFileURL(require.resolve('yjs').replace(/\.cjs$/, '.mjs')).href)

const dependencies = JSON.parse(readFileSync(join(peersFolder, 'package.json'), 'utf8')).dependencies
const crates = readFileSync(join(peersFolder, 'native/Cargo.toml'), 'utf8')

export const npmVersion = name => dependencies[name]
export const crateVersion = name => new RegExp(`^${name} = .*"=([^"]+)"`, 'm').exec(crates)[1]

import { createRequire } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'

/** What others have made, as installed in ../peers. */

const require = createRequire(new URL('../peers/package.json', import.meta.url))

/** The Yjs that everything is compared with. */
export const yjs = await import(pathToFileURL(require.resolve('yjs').replace(/\.cjs$/, '.mjs')).href)

export const yjsVersion = require('yjs/package.json').version
export const websocketServerVersion = require('@y/websocket-server/package.json').version

export const peersFolder = fileURLToPath(new URL('../peers/', import.meta.url))

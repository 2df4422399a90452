import { createRequire } from 'node:module'

/**
 * Yjs and the stock providers, all from one copy: version 1.5 and 2 of y-websocket come as CommonJS
 * only, and types of one copy of Yjs are strangers to another.
 */
const require = createRequire(import.meta.url)

export const Y = require('yjs')
export const encoding = require('lib0/encoding')
export const decoding = require('lib0/decoding')
export const syncProtocol = require('y-protocols/sync')
export const awarenessProtocol = require('y-protocols/awareness')
export const { WebSocket } = require('ws')

/** y-websocket's providers by version. */
export const providers = {
  '1.5': require('y-websocket-1').WebsocketProvider,
  '2.1': require('y-websocket-2').WebsocketProvider,
  '3.1': require('y-websocket-3').WebsocketProvider
}

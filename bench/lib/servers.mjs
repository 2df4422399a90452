import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pinned } from './machine.mjs'
import { palimpsest, workFolder } from './paths.mjs'
import { peersFolder } from './peers.mjs'

/** The servers that are measured, one at a time, each on the core that is theirs. */

const serverCore = 0
const startsWithin = 20_000

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}

function answers(port) {
  return new Promise(done => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => { socket.destroy(); done(true) })
    socket.once('error', () => done(false))
  })
}

const isReady = port => fetch(`http://127.0.0.1:${port}/readyz`).then(({ ok }) => ok, () => false)

class RunningServer {
  constructor(child, port, cleanUp) {
    this.child = child
    this.pid = child.pid // taskset becomes the program that it starts
    this.port = port
    this.cleanUp = cleanUp
    this.ended = once(child, 'exit')
  }

  async waitUntil(isThere, pause) {
    const patience = Date.now() + startsWithin
    while (!await isThere(this.port)) {
      if (this.child.exitCode !== null || Date.now() > patience) throw new Error('a server did not start')
      await sleep(pause)
    }
  }

  async stop() {
    this.child.kill('SIGTERM')
    await this.ended
    this.cleanUp()
  }
}

async function start(port, command, args, options, cleanUp = () => {}, until = 'listening') {
  const [pinnedCommand, pinnedArgs] = pinned(serverCore, command, args)
  const child = spawn(pinnedCommand, pinnedArgs, { stdio: ['ignore', 'ignore', 'inherit'], ...options })
  const server = new RunningServer(child, port, cleanUp)
  if (until === 'ready') await server.waitUntil(isReady, 1)
  else await server.waitUntil(answers, 50)
  return server
}

/**
 * Ours, with its documents on the disk of the build folder: nothing is sent on before it is there.
 * With `data` on documents that are there, and stay.
 */
export async function startPalimpsest({ data: given, until } = {}) {
  mkdirSync(workFolder, { recursive: true })
  const data = given ?? mkdtempSync(join(workFolder, 'data-'))
  const port = await freePort()
  return start(port, palimpsest,
    ['serve', '--listen', `127.0.0.1:${port}`, '--data', data, '--threads', '1', '--log-level', 'warn'],
    {}, () => given === undefined && rmSync(data, { recursive: true, force: true }), until)
}

/** Theirs, as it comes: documents in memory only. */
export async function startWebsocketServer() {
  const port = await freePort()
  return start(port, 'node', [join(peersFolder, 'node_modules/@y/websocket-server/src/server.js')],
    { env: { ...process.env, HOST: '127.0.0.1', PORT: String(port) } })
}

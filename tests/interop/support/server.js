import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { binary } from './palimpsest.js'
import { within } from './wait.js'

/** A running `palimpsest serve` on a loopback port and a data folder of its own. */
export class Server {
  /**
   * Answers when connections are accepted.
   *
   * @param {string} data the data folder
   * @param {{ port?: number, args?: string[] }} [options] port 0: a free one
   */
  static async start(data, { port = 0, args = [] } = {}) {
    const server = new Server()
    server.data = data
    server.args = args
    server.log = ''
    server.process = spawn(binary, ['serve', '--data', data, '--listen', `127.0.0.1:${port}`, ...args],
      { stdio: ['ignore', 'pipe', 'pipe'] })
    server.exited = once(server.process, 'exit').then(([code, signal]) => ({ code, signal }))
    server.port = await within(10_000, 'the server says where it listens', new Promise((done, fail) => {
      const read = chunk => {
        server.log += chunk
        const url = /http:\/\/127\.0\.0\.1:(\d+)/.exec(server.log)
        if (url) done(Number(url[1]))
      }
      server.process.stdout.on('data', read)
      server.process.stderr.on('data', read)
      server.process.on('error', fail)
      server.exited.then(({ code, signal }) => fail(new Error(`the server ended (${code ?? signal}):\n${server.log}`)))
    }))
    return server
  }

  get url() {
    return `ws://127.0.0.1:${this.port}`
  }

  get isRunning() {
    return this.process.exitCode === null && this.process.signalCode === null
  }

  /** Asks it to end in peace. */
  async stop() {
    this.process.kill('SIGTERM')
    return within(15_000, 'the server ends after SIGTERM', this.exited)
  }

  /** As a power cut would, as far as a process goes. */
  async kill() {
    this.process.kill('SIGKILL')
    return this.exited
  }

  /** A new process in the place of an ended one: same data, same port. */
  again() {
    return Server.start(this.data, { port: this.port, args: this.args })
  }
}

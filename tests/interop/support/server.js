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
   * @param {{ port?: number, args?: string[], program?: string, env?: Record<string, string>,
   *   around?: (command: string[]) => string[] }} [options] port 0: a free one; around: the command
   *   that runs the server's in surroundings of its own
   */
  static async start(data, { port = 0, args = [], program = binary, env = {}, around } = {}) {
    const server = new Server()
    server.data = data
    server.options = { args, program, around }
    server.log = ''
    const serve = [program, 'serve', '--data', data, '--listen', `127.0.0.1:${port}`, ...args]
    const [command, ...words] = around ? around(serve) : serve
    // What is around it ends together with it, as one process group.
    server.process = spawn(command, words,
      { stdio: ['ignore', 'pipe', 'pipe'], detached: around !== undefined, env: { ...process.env, ...env } })
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
    if (this.isRunning) process.kill(this.options.around ? -this.process.pid : this.process.pid, 'SIGKILL')
    return this.exited
  }

  /** A new process in the place of an ended one: same data, same port. */
  again(options = {}) {
    return Server.start(this.data, { port: this.port, ...this.options, ...options })
  }

  /** The status of a GET, and the text of the answer. */
  async get(path) {
    const answer = await fetch(`http://127.0.0.1:${this.port}${path}`)
    return { status: answer.status, text: await answer.text() }
  }
}

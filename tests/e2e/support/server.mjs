import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const kBinary =
  process.env.PALIMPSEST ??
  fileURLToPath(new URL('../../../build/release/palimpsest', import.meta.url));
const kStartMs = 15_000;

async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  await once(probe, 'close');
  return port;
}

/** A real server with its own data, on a port of its own. */
export class Server {
  #process = null;
  #log = '';

  constructor(data, port) {
    this.data = data;
    this.port = port;
  }

  static async start() {
    const data = await mkdtemp(join(tmpdir(), 'palimpsest-e2e-'));
    const server = new Server(data, await freePort());
    await server.run();
    return server;
  }

  get url() {
    return `http://127.0.0.1:${this.port}`;
  }

  get socketUrl() {
    return `ws://127.0.0.1:${this.port}`;
  }

  /** Starts the process and waits until it answers. */
  async run() {
    const args = ['serve', '--listen', `127.0.0.1:${this.port}`, '--data', this.data];
    this.#process = spawn(kBinary, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#log = '';
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream.on('data', (text) => (this.#log += text));
    }
    const running = this.#process;
    running.on('exit', (code, signal) => {
      const isMeant = this.#process !== running;
      if (!isMeant) console.error(`the server ended by itself: ${code ?? signal}\n${this.#log}`);
    });
    const deadline = Date.now() + kStartMs;
    while (!(await this.#answers())) {
      if (this.#process.exitCode !== null || Date.now() > deadline) {
        throw new Error(`${kBinary} does not answer on ${this.url}\n${this.#log}`);
      }
      await sleep(50);
    }
  }

  /** Ends it as an operator would; resolves when it is gone. */
  stop() {
    return this.#end('SIGTERM');
  }

  /** Ends it as a power cut would. */
  kill() {
    return this.#end('SIGKILL');
  }

  /** The same data on another port, where pages do not find it. */
  async elsewhere() {
    const other = new Server(this.data, await freePort());
    await other.run();
    return other;
  }

  async remove() {
    await this.stop();
    await rm(this.data, { recursive: true, force: true });
  }

  async #answers() {
    return fetch(`${this.url}/api/documents`).then(
      (response) => response.ok,
      () => false,
    );
  }

  async #end(signal) {
    const running = this.#process;
    this.#process = null;
    if (!running || running.exitCode !== null || running.signalCode !== null) return;
    const gone = once(running, 'exit');
    running.kill(signal);
    await gone;
  }
}

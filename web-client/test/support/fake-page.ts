import * as Y from 'yjs';
import { Awareness } from 'y-protocols/awareness';
import type { OwnUpdate } from '../../src/sync/own-work';
import { Provider, type WaitingStore } from '../../src/sync/provider';
import { type SyncFacts, signOf } from '../../src/sync/saved-state';
import { FakeClock } from './fake-clock';
import { FakeServer, FakeSocket } from './fake-server';

/** What a device keeps of a document while pages come and go. */
export class FakeDisk implements WaitingStore {
  rows: OwnUpdate[] = [];
  isBroken = false;

  add(own: OwnUpdate): Promise<void> {
    if (this.isBroken) return Promise.reject(new Error('no room'));
    this.rows.push(own);
    return Promise.resolve();
  }

  clear(): void {
    this.rows = [];
  }
}

/** One tab with one document: a provider whose clock, dice, frames and sockets belong to a test. */
export class FakePage {
  readonly doc = new Y.Doc();
  readonly awareness: Awareness;
  readonly text = this.doc.getText('content');
  readonly sockets: FakeSocket[] = [];
  readonly generations: number[] = [];
  readonly orphans: Uint8Array[] = [];
  readonly provider: Provider;
  storeFailed = false;

  constructor(
    readonly clock = new FakeClock(),
    readonly disk = new FakeDisk(),
    { generation = null, random = 0.5 }: { generation?: number | null; random?: number } = {},
  ) {
    this.awareness = new Awareness(this.doc);
    this.awareness.setLocalState(null);
    const parts = {
      doc: this.doc,
      awareness: this.awareness,
      waiting: disk,
      connect: (asked: number | null) => {
        const socket = new FakeSocket(asked);
        this.sockets.push(socket);
        return socket;
      },
      clock,
      random: () => random,
      nextFrame: (run: () => void, delayMs: number) => clock.after(delayMs + 16, run),
    };
    this.provider = new Provider(parts, generation, {
      changed: () => {},
      generation: (value) => this.generations.push(value),
      storeFailed: () => {
        this.storeFailed = true;
      },
      orphaned: (updates) => this.orphans.push(...updates),
    });
  }

  get socket(): FakeSocket {
    const last = this.sockets.at(-1);
    if (!last) throw new Error('nothing has connected');
    return last;
  }

  get sign(): string {
    const { provider } = this;
    const facts: SyncFacts = {
      link: provider.refusal ? 'stopped' : provider.isUp ? 'up' : 'down',
      everUp: provider.everUp,
      acknowledges: provider.acknowledges,
      oldestWorkAt: provider.work.oldestAt,
      lastWorkAt: provider.lastWorkAt,
      storingSince: null, // its disk is quicker than its clock
      localStore: this.storeFailed ? 'failed' : 'ok',
    };
    return signOf(facts, this.clock.now()).kind;
  }

  /** Connected to `server`, everything said and acknowledged, and some time after. */
  settle(server: FakeServer): void {
    server.accept(this.socket);
    this.clock.advance(1_000);
  }

  type(text: string): void {
    this.text.insert(this.text.length, text);
  }
}

/** A page that is connected and at rest. */
export function connectedPage(): { page: FakePage; server: FakeServer; clock: FakeClock } {
  const page = new FakePage();
  const server = new FakeServer();
  page.provider.start([]);
  page.settle(server);
  return { page, server, clock: page.clock };
}

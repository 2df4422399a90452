import * as Y from 'yjs';
import { Awareness } from 'y-protocols/awareness';
import type { Clock } from './clock';
import type { NextFrame } from './inbox';
import type { Socket } from './link';
import type { LocalCopy } from './local-copy';
import { Provider, type WaitingStore } from './provider';
import type { SyncFacts } from './saved-state';
import { type Channel, Tabs } from './tabs';
import { wordsIn } from './words';

/** What a document needs of the program around it. */
export interface Surroundings {
  readonly clock: Clock;
  readonly random: () => number;
  readonly nextFrame: NextFrame;
  connect(name: string, generation: number | null): Socket;
  channel(name: string): Channel;
  openLocalCopy(name: string, doc: Y.Doc): Promise<LocalCopy>;
}

const kNoStore: WaitingStore = {
  add: () => Promise.reject(new Error('this browser keeps no copy')),
  clear: () => {},
};

/**
 * One document in this tab: the text, its copy on this device, the other tabs, and the server.
 *
 * The local copy is read first, so that it is on screen at once and is part of what the server is
 * told; the network is merged afterwards.
 */
export class SharedDocument {
  readonly doc = new Y.Doc();
  readonly text: Y.Text;
  readonly awareness: Awareness;
  localStore: SyncFacts['localStore'] = 'opening';
  /** Resolves when the local copy has been read, or found missing, and the provider runs. */
  readonly started: Promise<void>;

  private readonly listeners = new Set<() => void>();
  private copy: LocalCopy | null = null;
  private connection: Provider | null = null;
  private readonly tabs: Tabs;
  private isClosed = false;

  constructor(
    readonly name: string,
    private readonly surroundings: Surroundings,
  ) {
    this.text = this.doc.getText('content');
    this.awareness = new Awareness(this.doc);
    this.awareness.setLocalState(null); // nobody, until whoever opened it says who is here
    this.tabs = new Tabs(this.doc, this.awareness, surroundings.channel(name), {
      orphan: (update) => this.connection?.forward(update),
      peer: (client) => this.connection?.keepPeer(client),
    });
    this.started = this.open();
  }

  /** Null until the local copy has been read. */
  get provider(): Provider | null {
    return this.connection;
  }

  /** There is something to show: the copy of this device, or the server's text. */
  get isReadable(): boolean {
    const hasCopy = this.localStore === 'ok' && this.text.length > 0;
    return hasCopy || (this.connection?.isSynced ?? false);
  }

  /** Calls back after every change of what is known; answers the way to stop that. */
  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  get facts(): SyncFacts {
    const provider = this.connection;
    if (!provider) {
      return {
        link: 'down',
        everUp: false,
        acknowledges: false,
        oldestWorkAt: null,
        lastWorkAt: 0,
        storingSince: null,
        localStore: this.localStore,
      };
    }
    return {
      link: provider.refusal ? 'stopped' : provider.isUp ? 'up' : 'down',
      everUp: provider.everUp,
      acknowledges: provider.acknowledges,
      oldestWorkAt: provider.work.oldestAt,
      lastWorkAt: provider.lastWorkAt,
      storingSince: provider.storingSince,
      localStore: this.localStore,
    };
  }

  /** How many words of ours the server does not have yet. Walks the text. */
  get waitingWords(): number {
    return this.connection ? wordsIn(this.text, this.connection.work.updates) : 0;
  }

  /** Removes the copy of this device, with whatever waits to be sent. */
  async forgetLocalCopy(): Promise<void> {
    await this.copy?.forget();
  }

  /** Leaves: the others are told, the connection ends, the copy of this device stays. */
  close(): void {
    this.isClosed = true;
    this.connection?.close();
    this.tabs.close();
    this.copy?.close();
    this.listeners.clear();
    this.awareness.destroy();
    this.doc.destroy();
  }

  private async open(): Promise<void> {
    try {
      this.copy = await this.surroundings.openLocalCopy(this.name, this.doc);
      this.localStore = 'ok';
    } catch {
      this.localStore = 'failed';
    }
    if (this.isClosed) return this.copy?.close();
    this.startProvider();
    this.tabs.hello();
  }

  private startProvider(): void {
    const { clock, random, nextFrame, connect } = this.surroundings;
    const parts = {
      doc: this.doc,
      awareness: this.awareness,
      waiting: this.copy?.waiting ?? kNoStore,
      connect: (generation: number | null) => connect(this.name, generation),
      clock,
      random,
      nextFrame,
    };
    this.connection = new Provider(parts, this.copy?.generation ?? null, {
      changed: () => this.changed(),
      generation: (value) => this.copy?.rememberGeneration(value),
      storeFailed: () => {
        this.localStore = 'failed';
        this.changed();
      },
      orphaned: (updates) => this.tabs.postOrphans(updates),
    });
    this.connection.addForeignOrigin(this.tabs);
    for (const origin of this.copy?.origins ?? []) this.connection.addForeignOrigin(origin);
    this.connection.start(this.copy?.earlier ?? []);
  }

  private changed(): void {
    for (const listener of this.listeners) listener();
  }
}

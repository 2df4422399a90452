import * as Y from 'yjs';
import {
  type Awareness,
  encodeAwarenessUpdate,
  removeAwarenessStates,
} from 'y-protocols/awareness';
import type { Clock } from './clock';
import type { Refusal } from './close-codes';
import { Inbox, type NextFrame } from './inbox';
import { Link, type Socket } from './link';
import { type OwnUpdate, OwnWork } from './own-work';
import * as wire from './wire';

/** Where changes that could not be sent are kept until they are acknowledged. */
export interface WaitingStore {
  /** Resolves when the change is on this device's disk. */
  add(own: OwnUpdate): Promise<void>;
  /** Everything handed in so far is durable elsewhere. */
  clear(): void;
}

/** What a provider is built from. */
export interface ProviderParts {
  readonly doc: Y.Doc;
  readonly awareness: Awareness;
  readonly waiting: WaitingStore;
  /** Opens a socket for a copy of the given generation; null when there is none yet. */
  readonly connect: (generation: number | null) => Socket;
  readonly clock: Clock;
  readonly random: () => number;
  readonly nextFrame: NextFrame;
}

/** What a provider tells. */
export interface ProviderEvents {
  /** Anything that its fields show has changed. */
  changed(): void;
  /** The server said which generation of the document it has. */
  generation(value: number): void;
  /** A change could not be kept on this device. */
  storeFailed(): void;
  /** The connection is down, and these changes have not been acknowledged. */
  orphaned(updates: readonly Uint8Array[]): void;
}

const kAwarenessMs = 100;

/**
 * Keeps one document and its server equal. Speaks y-websocket; with a server that announces it,
 * also counts acknowledgements and hands over offline changes one by one with their times.
 *
 * Invariant: `work.isEmpty` only while every change made here is durable on the server, as long as
 *            the server acknowledges.
 * Home:      one page; nothing here touches the DOM.
 */
export class Provider {
  readonly work = new OwnWork();
  everUp = false;
  /** The server's whole state has been applied at least once. */
  isSynced = false;
  acknowledges = false;
  refusal: Refusal | null = null;
  lastWorkAt = 0;

  /** The server has told what it has, and was answered: changes go out as they are made. */
  private canSend = false;
  /** The server has answered what we said, so it hears us. */
  private isHeard = false;
  private readonly link: Link;
  private readonly inbox: Inbox;
  private readonly foreign = new Set<unknown>([this]);
  private readonly keptPeers = new Set<number>();
  private readonly kept = new WeakSet<OwnUpdate>();
  /** Changes on their way to this device's disk, and since when. */
  private readonly storing = new Map<OwnUpdate, number>();
  private awarenessSentAt = 0;
  private cancelAwareness: (() => void) | null = null;

  constructor(
    private readonly parts: ProviderParts,
    private generation: number | null,
    private readonly events: ProviderEvents,
  ) {
    const { doc, awareness, clock, nextFrame } = parts;
    this.inbox = new Inbox(doc, awareness, {
      origin: this,
      nextFrame,
      now: () => clock.now(),
      broken: () => this.link.drop(),
    });
    this.link = new Link(() => parts.connect(this.generation), clock, parts.random, {
      opened: () => this.opened(),
      frame: (bytes) => this.receive(bytes),
      lost: () => this.lost(),
      refused: (refusal) => this.refused(refusal),
      owedSince: () => this.work.owedSince,
    });
    doc.on('update', this.onUpdate);
    awareness.on('update', this.onAwareness);
  }

  /** Each side has heard what the other has; changes flow. */
  get isUp(): boolean {
    return this.canSend && this.isHeard;
  }

  /** Since when the oldest change that is not on this device's disk yet is being written. */
  get storingSince(): number | null {
    const [since] = this.storing.values();
    return since ?? null;
  }

  /** Connects. `earlier` are changes of earlier visits that were never acknowledged. */
  start(earlier: readonly OwnUpdate[]): void {
    for (const own of earlier) {
      this.kept.add(own);
      this.work.add(own);
    }
    this.link.start();
    this.events.changed();
  }

  /** Says goodbye and disconnects; the document stays as it is. */
  close(): void {
    this.parts.doc.off('update', this.onUpdate);
    this.parts.awareness.off('update', this.onAwareness);
    this.cancelAwareness?.();
    this.sayGoodbye();
    this.inbox.flush();
    this.inbox.close();
    this.link.stop();
  }

  /** Tries to connect now; on a connection that stands, makes sure that it does. */
  nudge(): void {
    this.link.nudge();
    this.link.probe(wire.step1(Y.encodeStateVector(this.parts.doc)));
  }

  /** Changes with this origin are not ours to send. */
  addForeignOrigin(origin: unknown): void {
    this.foreign.add(origin);
  }

  /** This peer is known by another way too, and stays when the connection goes. */
  keepPeer(client: number): void {
    this.keptPeers.add(client);
  }

  /** Passes on a change of another tab whose own connection is down. */
  forward(update: Uint8Array): void {
    if (this.canSend) this.sendOwn({ update, at: this.parts.clock.now(), offline: false });
  }

  /** Tells the others at once that we leave. */
  sayGoodbye(): void {
    this.parts.awareness.setLocalState(null);
    this.sendAwareness();
  }

  private opened(): void {
    this.acknowledges = false;
    this.link.send(wire.step1(Y.encodeStateVector(this.parts.doc)));
    // Said anew, because who saw us go ignores what is not newer than that.
    const { awareness } = this.parts;
    if (awareness.getLocalState() !== null) awareness.setLocalState(awareness.getLocalState());
  }

  private receive(bytes: Uint8Array): void {
    let messages: wire.Message[];
    try {
      messages = wire.readFrame(bytes);
    } catch {
      this.link.drop(); // not a server that we understand; the back-off keeps us from insisting
      return;
    }
    for (const message of messages) this.handle(message);
    this.everUp ||= this.isUp;
    this.events.changed();
  }

  private handle(message: wire.Message): void {
    switch (message.kind) {
      case 'announce':
        this.acknowledges = true;
        this.generation = message.generation;
        this.events.generation(message.generation);
        break;
      case 'step1':
        this.answer(message.stateVector);
        break;
      case 'step2':
        this.isSynced = this.isHeard = true;
        this.inbox.addUpdate(message.update);
        break;
      case 'update':
        this.inbox.addUpdate(message.update);
        break;
      case 'awareness':
        this.inbox.addAwareness(message.update);
        break;
      case 'query-awareness':
        this.sendAwareness();
        break;
      case 'ack':
        this.acknowledged(message.count);
        break;
      case 'denied':
        break;
    }
  }

  /**
   * The server has told what it has. What was made offline goes first, one by one with its time,
   * and all else as step 2, which also repeats whatever an earlier connection may have lost.
   */
  private answer(stateVector: Uint8Array): void {
    const now = this.parts.clock.now();
    if (this.acknowledges) {
      const known = Y.decodeStateVector(stateVector);
      for (const own of this.work.unsent) {
        if (isKnown(own.update, known)) continue;
        const age = now - own.at;
        this.work.sent(own, now);
        this.link.send(own.offline ? wire.pastUpdate(age, own.update) : wire.update(own.update));
      }
    }
    this.work.sentAll(now);
    if (!this.acknowledges) this.work.clear();
    this.canSend = true;
    this.lastWorkAt = now;
    this.link.send(wire.step2(Y.encodeStateAsUpdate(this.parts.doc, stateVector)));
  }

  private acknowledged(count: number): void {
    const now = this.parts.clock.now();
    this.work.acknowledged(count, now);
    this.lastWorkAt = now;
    if (this.work.isEmpty) this.parts.waiting.clear();
  }

  private lost(): void {
    this.canSend = this.isHeard = false;
    this.inbox.flush();
    this.work.connectionLost();
    for (const own of this.work.updates) this.keep(own);
    this.forgetPeers();
    const orphans = this.work.updates.map(({ update }) => update);
    if (orphans.length > 0) this.events.orphaned(orphans);
    this.events.changed();
  }

  private refused(refusal: Refusal): void {
    this.refusal = refusal;
    this.events.changed();
  }

  private forgetPeers(): void {
    const { awareness, doc } = this.parts;
    const gone = [...awareness.getStates().keys()].filter(
      (client) => client !== doc.clientID && !this.keptPeers.has(client),
    );
    removeAwarenessStates(awareness, gone, this);
    // When they are told of again it may be with the state that we knew; it counts as new.
    for (const client of gone) awareness.meta.delete(client);
  }

  private readonly onUpdate = (update: Uint8Array, origin: unknown): void => {
    if (this.foreign.has(origin)) return;
    this.sendOwn({ update, at: this.parts.clock.now(), offline: !this.canSend });
  };

  private sendOwn(own: OwnUpdate): void {
    this.lastWorkAt = own.at;
    if (!this.canSend) {
      this.work.add(own);
      this.keep(own);
      this.events.orphaned([own.update]);
    } else {
      if (this.acknowledges) this.work.sent(own, own.at);
      this.link.send(wire.update(own.update));
    }
    this.events.changed();
  }

  private keep(own: OwnUpdate): void {
    if (this.kept.has(own)) return;
    this.kept.add(own);
    this.storing.set(own, this.parts.clock.now());
    this.parts.waiting.add(own).then(
      () => this.stored(own),
      () => {
        this.stored(own);
        this.events.storeFailed();
      },
    );
  }

  private stored(own: OwnUpdate): void {
    this.storing.delete(own);
    this.events.changed();
  }

  private readonly onAwareness = (_changes: unknown, origin: unknown): void => {
    if (origin !== 'local') return;
    const wait = this.awarenessSentAt + kAwarenessMs - this.parts.clock.now();
    if (wait <= 0) return this.sendAwareness();
    this.cancelAwareness ??= this.parts.clock.after(wait, () => this.sendAwareness());
  };

  private sendAwareness(): void {
    this.cancelAwareness?.();
    this.cancelAwareness = null;
    this.awarenessSentAt = this.parts.clock.now();
    const { awareness, doc } = this.parts;
    if (!awareness.meta.has(doc.clientID)) return;
    this.link.send(wire.awareness(encodeAwarenessUpdate(awareness, [doc.clientID])));
  }
}

/** Whether a server with this state vector has all that `update` inserts (deletes it may lack). */
function isKnown(update: Uint8Array, known: ReadonlyMap<number, number>): boolean {
  const { to } = Y.parseUpdateMeta(update);
  if (to.size === 0) return false;
  return [...to].every(([client, clock]) => (known.get(client) ?? 0) >= clock);
}

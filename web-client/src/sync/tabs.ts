import * as decoding from 'lib0/decoding';
import * as encoding from 'lib0/encoding';
import * as Y from 'yjs';
import { applyAwarenessUpdate, type Awareness, encodeAwarenessUpdate } from 'y-protocols/awareness';

/** The part of BroadcastChannel that tabs use; messages reach all tabs but the one that posts. */
export interface Channel {
  post(bytes: Uint8Array): void;
  close(): void;
  onmessage: ((bytes: Uint8Array) => void) | null;
}

// message := varUint(kind) varUint8Array(body)
const kHello = 0; // a state vector: send what I lack, and say who you are
const kState = 1; // an update
const kOrphan = 2; // an update whose own connection is down: whoever is connected passes it on
const kPeople = 3; // an awareness update

const pack = (kind: number, body: Uint8Array): Uint8Array =>
  encoding.encode((encoder) => {
    encoding.writeVarUint(encoder, kind);
    encoding.writeVarUint8Array(encoder, body);
  });

/** What tabs tell their document. */
export interface TabsEvents {
  /** Another tab's change needs somebody's connection. */
  orphan(update: Uint8Array): void;
  /** This peer lives in another tab of this browser. */
  peer(client: number): void;
}

/**
 * The tabs of one browser that show one document, kept equal without the server.
 *
 * What comes from another tab has this object as its origin: it is not our change.
 */
export class Tabs {
  constructor(
    private readonly doc: Y.Doc,
    private readonly awareness: Awareness,
    private readonly channel: Channel,
    private readonly events: TabsEvents,
  ) {
    channel.onmessage = (bytes) => this.receive(bytes);
    doc.on('update', this.onUpdate);
    awareness.on('update', this.onAwareness);
  }

  /** Asks the others for what they have and gives them what is here. */
  hello(): void {
    this.channel.post(pack(kHello, Y.encodeStateVector(this.doc)));
    this.channel.post(pack(kState, Y.encodeStateAsUpdate(this.doc)));
    this.postPeople();
  }

  /** Asks connected tabs to pass these changes on to the server. */
  postOrphans(updates: readonly Uint8Array[]): void {
    for (const update of updates) this.channel.post(pack(kOrphan, update));
  }

  close(): void {
    this.doc.off('update', this.onUpdate);
    this.awareness.off('update', this.onAwareness);
    this.channel.close();
  }

  private receive(bytes: Uint8Array): void {
    const decoder = decoding.createDecoder(bytes);
    const kind = decoding.readVarUint(decoder);
    const body = decoding.readVarUint8Array(decoder);
    if (kind === kHello) {
      this.channel.post(pack(kState, Y.encodeStateAsUpdate(this.doc, body)));
      this.postPeople();
    } else if (kind === kPeople) {
      this.receivePeople(body);
    } else {
      Y.applyUpdate(this.doc, body, this);
      if (kind === kOrphan) this.events.orphan(body);
    }
  }

  private receivePeople(update: Uint8Array): void {
    const heard = ({ added, updated }: { added: number[]; updated: number[] }) =>
      [...added, ...updated].forEach((client) => this.events.peer(client));
    this.awareness.on('update', heard);
    applyAwarenessUpdate(this.awareness, update, this);
    this.awareness.off('update', heard);
  }

  private postPeople(): void {
    if (!this.awareness.meta.has(this.doc.clientID)) return;
    this.channel.post(pack(kPeople, encodeAwarenessUpdate(this.awareness, [this.doc.clientID])));
  }

  private readonly onUpdate = (
    update: Uint8Array,
    _origin: unknown,
    _doc: Y.Doc,
    transaction: Y.Transaction,
  ): void => {
    if (transaction.local) this.channel.post(pack(kState, update));
  };

  private readonly onAwareness = (_changes: unknown, origin: unknown): void => {
    if (origin === 'local') this.postPeople();
  };
}

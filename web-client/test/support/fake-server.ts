import * as encoding from 'lib0/encoding';
import * as Y from 'yjs';
import type { Socket } from '../../src/sync/link';
import * as wire from '../../src/sync/wire';
import { readPast } from './read-past';

/** The client's end of a connection, and what a test does to the other one. */
export class FakeSocket implements Socket {
  bufferedAmount = 0;
  onopen: (() => void) | null = null;
  onmessage: ((bytes: Uint8Array) => void) | null = null;
  onclose: ((code: number, reason: string) => void) | null = null;
  readonly sent: Uint8Array[] = [];
  isClosed = false;
  /** What the server end does with a message; nothing by default. */
  onsent: (bytes: Uint8Array) => void = () => {};

  constructor(readonly generation: number | null) {}

  send(bytes: Uint8Array): void {
    this.sent.push(bytes);
    this.onsent(bytes);
  }

  close(): void {
    this.isClosed = true;
  }

  /** The network or the server ends it. */
  end(code = 1006, reason = ''): void {
    this.onclose?.(code, reason);
  }
}

const ackMessage = (...numbers: number[]): Uint8Array =>
  encoding.encode((encoder) => {
    encoding.writeVarUint(encoder, 8);
    for (const number of numbers) encoding.writeVarUint(encoder, number);
  });

/** A server with one document, in memory; it acknowledges when a test says so. */
export class FakeServer {
  readonly doc = new Y.Doc();
  readonly past: { ageMs: number; update: Uint8Array }[] = [];
  generation = 1;
  acknowledges = true;
  /** Acknowledge at once. */
  isDurable = true;
  private owed = 0;
  private current: FakeSocket | null = null;

  /** Takes the connection, as far as a handshake goes. */
  accept(socket: FakeSocket): void {
    this.current = socket;
    this.owed = 0;
    socket.onsent = (bytes) => this.receive(bytes);
    socket.onopen?.();
    if (this.acknowledges) this.tell(ackMessage(0, this.generation));
    this.tell(wire.step1(Y.encodeStateVector(this.doc)));
  }

  tell(bytes: Uint8Array): void {
    this.current?.onmessage?.(bytes);
  }

  /** Somebody else types. */
  type(text: string, at = 0): void {
    const before = Y.encodeStateVector(this.doc);
    this.doc.getText('content').insert(at, text);
    this.tell(wire.update(Y.encodeStateAsUpdate(this.doc, before)));
  }

  /** Everything received so far is on disk. */
  commit(): void {
    if (this.acknowledges && this.owed > 0) this.tell(ackMessage(this.owed));
    this.owed = 0;
  }

  get text(): string {
    return this.doc.getText('content').toString();
  }

  private receive(bytes: Uint8Array): void {
    const past = readPast(bytes);
    if (past) {
      this.past.push(past);
      this.take(past.update);
      return;
    }
    for (const message of wire.readFrame(bytes)) {
      if (message.kind === 'step1') {
        this.tell(wire.step2(Y.encodeStateAsUpdate(this.doc, message.stateVector)));
      } else if (message.kind === 'step2' || message.kind === 'update') {
        this.take(message.update);
      }
    }
  }

  private take(update: Uint8Array): void {
    Y.applyUpdate(this.doc, update);
    this.owed += 1;
    if (this.isDurable) this.commit();
  }
}

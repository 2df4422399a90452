import { Backoff } from './backoff';
import type { Clock } from './clock';
import { closeVerdict, type Refusal } from './close-codes';

/** What a link needs of a WebSocket. */
export interface Socket {
  readonly bufferedAmount: number;
  send(bytes: Uint8Array): void;
  close(): void;
  onopen: (() => void) | null;
  onmessage: ((bytes: Uint8Array) => void) | null;
  onclose: ((code: number, reason: string) => void) | null;
}

/** What a link tells its owner. */
export interface LinkEvents {
  /** Connected; nothing has been said yet. */
  opened(): void;
  frame(bytes: Uint8Array): void;
  /** The connection is gone; the link comes back by itself. */
  lost(): void;
  /** The server will not have us; the link stays down until `start`. */
  refused(refusal: Refusal): void;
  /** Since when the server has owed an acknowledgement; null when it owes none. */
  owedSince(): number | null;
}

const kConnectMs = 10_000;
const kHealthyMs = 10_000;
const kOwedMs = 8_000;
const kSilenceMs = 30_000;
const kProbeMs = 3_000;
const kLookMs = 500;

/**
 * One connection that is kept up: it reconnects with back-off, notices when the other side is gone
 * though the socket says nothing, and gives up only when the server says so.
 *
 * Dead means: 8 s without an acknowledgement while one is owed and nothing leaves our buffer, 30 s
 * without a data frame (a browser cannot see pings), or 3 s without an answer to a probe.
 */
export class Link {
  private socket: Socket | null = null;
  private readonly backoff: Backoff;
  private cancelRetry: (() => void) | null = null;
  private cancelLook: (() => void) | null = null;
  private isOpen = false;
  private running = false;
  private openedAt = 0;
  private heardAt = 0;
  private progressAt = 0;
  private buffered = 0;
  private probedAt: number | null = null;

  constructor(
    private readonly connect: () => Socket,
    private readonly clock: Clock,
    private readonly random: () => number,
    private readonly events: LinkEvents,
  ) {
    this.backoff = new Backoff(random);
  }

  /** Connects, and from now on keeps connected. */
  start(): void {
    if (this.running) return;
    this.running = true;
    this.open();
  }

  /** Disconnects for good. */
  stop(): void {
    this.running = false;
    this.cancelRetry?.();
    this.cancelRetry = null;
    this.release();
  }

  /** Sends if connected; answers whether it did. */
  send(bytes: Uint8Array): boolean {
    if (!this.isOpen || !this.socket) return false;
    this.socket.send(bytes);
    return true;
  }

  /** Tries now instead of when the back-off says: the network or the person has come back. */
  nudge(): void {
    if (!this.running || this.socket) return;
    this.cancelRetry?.();
    this.open();
  }

  /**
   * Asks whether the other side is still there, where there is reason for doubt. `question` is any
   * message that is answered at once.
   */
  probe(question: Uint8Array): void {
    if (!this.isOpen || this.probedAt !== null) return;
    this.probedAt = this.clock.now();
    this.send(question);
  }

  /** Gives the connection up and comes back by the back-off. */
  drop(): void {
    if (this.socket) this.closed(1006, '');
  }

  private open(): void {
    this.cancelRetry = null;
    const socket = this.connect();
    this.socket = socket;
    this.openedAt = this.clock.now();
    socket.onopen = () => this.opened();
    socket.onmessage = (bytes) => this.heard(bytes);
    socket.onclose = (code, reason) => this.closed(code, reason);
    this.look();
  }

  private opened(): void {
    this.isOpen = true;
    this.openedAt = this.heardAt = this.progressAt = this.clock.now();
    this.buffered = 0;
    this.events.opened();
  }

  private heard(bytes: Uint8Array): void {
    this.heardAt = this.clock.now();
    this.probedAt = null;
    this.events.frame(bytes);
  }

  private closed(code: number, reason: string): void {
    const wasOpen = this.isOpen;
    this.release();
    if (wasOpen) this.events.lost();
    if (!this.running) return;
    const verdict = closeVerdict(code, reason, this.random);
    if (verdict.kind === 'stop') {
      this.running = false;
      this.events.refused(verdict.refusal);
      return;
    }
    this.cancelRetry = this.clock.after(verdict.afterMs ?? this.backoff.next(), () => this.open());
  }

  /** Lets go of the socket without waiting for its closing handshake, which may never end. */
  private release(): void {
    this.cancelLook?.();
    this.cancelLook = null;
    this.isOpen = false;
    this.probedAt = null;
    const socket = this.socket;
    this.socket = null;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  private look(): void {
    this.cancelLook = this.clock.after(kLookMs, () => {
      if (this.isDead()) return this.drop();
      if (this.isOpen && this.clock.now() - this.openedAt >= kHealthyMs) this.backoff.reset();
      this.look();
    });
  }

  private isDead(): boolean {
    const now = this.clock.now();
    if (!this.isOpen) return now - this.openedAt >= kConnectMs;
    if (this.probedAt !== null && now - this.probedAt >= kProbeMs) return true;
    if (now - this.heardAt >= kSilenceMs) return true;

    const buffered = this.socket?.bufferedAmount ?? 0;
    if (buffered < this.buffered) this.progressAt = now;
    this.buffered = buffered;
    const owedSince = this.events.owedSince();
    return owedSince !== null && now - Math.max(owedSince, this.progressAt) >= kOwedMs;
  }
}

/** One change made here that the server has not yet called durable. */
export interface OwnUpdate {
  readonly update: Uint8Array;
  /** When it was made, in ms since the epoch. */
  readonly at: number;
  /** Made while there was no connection. */
  readonly offline: boolean;
}

interface InFlight {
  readonly at: number;
  /** The changes in this message; none where a sync step 2 said nothing new. */
  readonly updates: readonly OwnUpdate[];
}

/**
 * What of our own is not yet on the server's disk. The server counts: "n further updates of this
 * connection are durable", where a sync step 2 counts as one. So work is done exactly when as many
 * have been acknowledged as were sent and nothing waits to be sent. Which single update an
 * acknowledgement means is a guess (the oldest), used for nothing that must be right.
 */
export class OwnWork {
  private waiting: OwnUpdate[] = [];
  private inFlight: InFlight[] = [];
  private ackedAt = 0;

  /** A change was made; it waits until `sent`. */
  add(own: OwnUpdate): void {
    this.waiting.push(own);
  }

  /** A change went out in a message of its own. */
  sent(own: OwnUpdate, at: number): void {
    if (this.waiting.length > 0) this.waiting = this.waiting.filter((other) => other !== own);
    this.inFlight.push({ at, updates: [own] });
  }

  /** A sync step 2 went out: all that waits, in one message. */
  sentAll(at: number): void {
    this.inFlight.push({ at, updates: this.waiting });
    this.waiting = [];
  }

  /** The server called `count` further messages durable. */
  acknowledged(count: number, at: number): void {
    this.inFlight.splice(0, count);
    this.ackedAt = at;
  }

  /** The connection is gone: what was in flight waits again, before what was made since. */
  connectionLost(): void {
    this.waiting = [...this.updates];
    this.inFlight = [];
  }

  /** Forgets all; for a server that acknowledges nothing. */
  clear(): void {
    this.waiting = [];
    this.inFlight = [];
  }

  get isEmpty(): boolean {
    return this.waiting.length === 0 && this.inFlight.length === 0;
  }

  /** Changes not yet sent on this connection, in the order in which they were made. */
  get unsent(): readonly OwnUpdate[] {
    return this.waiting;
  }

  /** Every change that is not yet acknowledged, in the order in which they were made. */
  get updates(): readonly OwnUpdate[] {
    return [...this.inFlight.flatMap(({ updates }) => updates), ...this.waiting];
  }

  /** When the oldest work began to wait; null when there is none. */
  get oldestAt(): number | null {
    return this.inFlight[0]?.at ?? this.waiting[0]?.at ?? null;
  }

  /** Since when the server has owed us an answer; null when it owes none. */
  get owedSince(): number | null {
    const first = this.inFlight[0];
    return first ? Math.max(first.at, this.ackedAt) : null;
  }
}

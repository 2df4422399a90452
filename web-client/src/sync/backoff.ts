const kFloorMs = 500;
const kCeilingMs = 30_000;

/**
 * How long to wait before the next attempt to connect: exponential with full jitter, so that the
 * clients of a restarted server come back spread out. The n-th wait is anywhere between nothing and
 * 0.5 s · 2ⁿ, 30 s at most.
 */
export class Backoff {
  private attempts = 0;

  constructor(private readonly random: () => number) {}

  /** The next wait in milliseconds; each call doubles the span of the one after it. */
  next(): number {
    const span = Math.min(kCeilingMs, kFloorMs * 2 ** this.attempts);
    this.attempts += 1;
    return this.random() * span;
  }

  /** Starts over; called when a connection has proved healthy. */
  reset(): void {
    this.attempts = 0;
  }
}

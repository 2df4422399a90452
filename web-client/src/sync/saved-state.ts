/** What is known about the connection and our own work, at one moment. */
export interface SyncFacts {
  /** Up: connected, and each side has told the other what it has. */
  readonly link: 'up' | 'down' | 'stopped';
  readonly everUp: boolean;
  /** Whether this server says when our work is durable. */
  readonly acknowledges: boolean;
  /** When the oldest unacknowledged work began to wait. */
  readonly oldestWorkAt: number | null;
  /** When there was last work to acknowledge. */
  readonly lastWorkAt: number;
  readonly localStore: 'opening' | 'ok' | 'failed';
  /** Since when the oldest change that this device is to keep is being written; null when none is. */
  readonly storingSince: number | null;
}

/** The saved sign of the top bar. */
export type SignKind =
  | 'saved'
  | 'fading'
  | 'saving'
  | 'connected'
  | 'connecting'
  | 'reconnecting'
  | 'offline'
  | 'not-saved'
  | 'stopped';

export interface Sign {
  readonly kind: SignKind;
  /** Whether leaving the page should be asked about. */
  readonly guard: boolean;
  /** What it says is about to be true: the last change is on its way to this device's disk. */
  readonly busy: boolean;
}

/** Work younger than this only fades the tick. */
export const kQuietMs = 1_000;
/** "Saved" returns this long after the last work, so that it does not flicker at every key. */
export const kSettleMs = 350;

const sign = (kind: SignKind, guard: boolean, busy = false): Sign => ({ kind, guard, busy });

function signWhenUp(facts: SyncFacts, now: number): Sign {
  if (!facts.acknowledges) return sign('connected', false);
  if (facts.oldestWorkAt === null) {
    return sign(now - facts.lastWorkAt < kSettleMs ? 'fading' : 'saved', false);
  }
  return now - facts.oldestWorkAt < kQuietMs ? sign('fading', false) : sign('saving', true);
}

/** Without a connection, and with work: "Offline" stands for work that this device keeps. */
function signWhileKeeping({ storingSince }: SyncFacts, now: number): Sign {
  if (storingSince === null) return sign('offline', true);
  return sign(now - storingSince < kQuietMs ? 'offline' : 'saving', true, true);
}

/** The saved-state table. "Saved" stands only where every own change is acknowledged. */
export function signOf(facts: SyncFacts, now: number): Sign {
  const hasWork = facts.oldestWorkAt !== null;
  if (facts.link === 'up') return signWhenUp(facts, now);
  if (hasWork && facts.localStore === 'failed') return sign('not-saved', true);
  if (facts.link === 'stopped') return sign('stopped', hasWork);
  if (hasWork) return signWhileKeeping(facts, now);
  return sign(facts.everUp ? 'reconnecting' : 'connecting', false);
}

export const isSameSign = (one: Sign, other: Sign): boolean =>
  one.kind === other.kind && one.guard === other.guard && one.busy === other.busy;

/** When the sign may change though nothing happens: ms from now, or null for never. */
export function signExpiresIn(facts: SyncFacts, now: number): number | null {
  const until = changesAt(facts);
  return until !== null && until > now ? until - now : null;
}

function changesAt(facts: SyncFacts): number | null {
  if (facts.link === 'down') return facts.storingSince && facts.storingSince + kQuietMs;
  if (facts.link !== 'up' || !facts.acknowledges) return null;
  return facts.oldestWorkAt === null
    ? facts.lastWorkAt + kSettleMs
    : facts.oldestWorkAt + kQuietMs;
}

/** Why the server will not have this document from us any more; the text stays in this browser. */
export type Refusal =
  | 'bad-message'
  | 'unauthorized'
  | 'forbidden'
  | 'deleted'
  | 'other-generation'
  | 'clock-conflict'
  | 'full'
  | 'too-big'
  | 'refused';

/** What to do after a connection has closed. */
export type CloseVerdict =
  | { readonly kind: 'retry'; /** null: by the back-off */ readonly afterMs: number | null }
  | { readonly kind: 'stop'; readonly refusal: Refusal };

const kByBackoff: CloseVerdict = { kind: 'retry', afterMs: null };

const kPermanent: Readonly<Record<number, Refusal>> = {
  1002: 'bad-message',
  1003: 'bad-message',
  1007: 'bad-message',
  1008: 'refused',
  1009: 'too-big',
  4400: 'bad-message',
  4401: 'unauthorized',
  4403: 'forbidden',
  4404: 'deleted',
  4413: 'full',
};

/** The shortest and longest wait, in ms, where the server gives none. */
const kSpread: Readonly<Record<number, readonly [number, number]>> = {
  1012: [0, 5_000],
  1013: [5_000, 10_000],
  4503: [5_000, 10_000],
};

/** The seconds of `id; retry=SECONDS`, in milliseconds. */
function retryAfterMs(reason: string): number | null {
  const found = /(?:^|;)\s*retry=(\d+(?:\.\d+)?)/.exec(reason);
  return found?.[1] === undefined ? null : Number(found[1]) * 1000;
}

/**
 * Decides what a close code asks for. Codes from 4400 to 4499 are final, from 4500 to 4599
 * passing. A time that the server names is kept to, with up to a fifth more so that its clients do
 * not all return at one instant.
 */
export function closeVerdict(code: number, reason: string, random: () => number): CloseVerdict {
  if (code === 4409) {
    const refusal = reason.startsWith('clock_conflict') ? 'clock-conflict' : 'other-generation';
    return { kind: 'stop', refusal };
  }
  const refusal = kPermanent[code];
  if (refusal) return { kind: 'stop', refusal };
  if (code >= 4400 && code < 4500 && code !== 4408) return { kind: 'stop', refusal: 'refused' };

  const spread = kSpread[code];
  const given = retryAfterMs(reason);
  if (given !== null && (spread || code >= 4500)) {
    return { kind: 'retry', afterMs: given * (1 + random() / 5) };
  }
  if (!spread) return kByBackoff;
  return { kind: 'retry', afterMs: spread[0] + random() * (spread[1] - spread[0]) };
}

import { describe, expect, test } from 'vitest';
import { Backoff } from '../../src/sync/backoff';

const waits = (random: number, count: number): number[] => {
  const backoff = new Backoff(() => random);
  return Array.from({ length: count }, () => backoff.next());
};

describe('the back-off', () => {
  test('doubles its span from half a second to half a minute', () => {
    expect(waits(1, 8)).toEqual([500, 1000, 2000, 4000, 8000, 16000, 30000, 30000]);
  });

  test('waits anywhere within the span, so that many clients come back spread out', () => {
    expect(waits(0, 3)).toEqual([0, 0, 0]);
    expect(waits(0.25, 3)).toEqual([125, 250, 500]);
  });

  test('starts over after a reset', () => {
    const backoff = new Backoff(() => 1);
    for (let attempt = 0; attempt < 5; attempt += 1) backoff.next();
    backoff.reset();
    expect(backoff.next()).toBe(500);
  });
});

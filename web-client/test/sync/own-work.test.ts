import { describe, expect, test } from 'vitest';
import { type OwnUpdate, OwnWork } from '../../src/sync/own-work';

const change = (at: number): OwnUpdate => ({ update: new Uint8Array([at]), at, offline: false });

describe('own work', () => {
  test('is done when as many messages are acknowledged as were sent', () => {
    const work = new OwnWork();
    work.sent(change(1), 1);
    work.sent(change(2), 2);
    work.acknowledged(1, 3);
    expect(work.isEmpty).toBe(false);
    work.acknowledged(1, 4);
    expect(work.isEmpty).toBe(true);
  });

  test('one acknowledgement may stand for many messages', () => {
    const work = new OwnWork();
    for (let at = 1; at <= 5; at += 1) work.sent(change(at), at);
    work.acknowledged(5, 9);
    expect(work.isEmpty).toBe(true);
  });

  test('a step 2 counts as one, whatever it carries', () => {
    const work = new OwnWork();
    work.add(change(1));
    work.add(change(2));
    work.sentAll(3);
    expect(work.unsent).toHaveLength(0);
    expect(work.updates).toHaveLength(2);
    work.acknowledged(1, 4);
    expect(work.isEmpty).toBe(true);
  });

  test('what was in flight when the connection went waits again, in its order', () => {
    const work = new OwnWork();
    work.sent(change(1), 1);
    work.sent(change(2), 2);
    work.acknowledged(1, 3);
    work.connectionLost();
    work.add(change(4));
    expect(work.unsent.map(({ at }) => at)).toEqual([2, 4]);
    expect(work.owedSince).toBeNull();
  });

  test('the server owes an answer since the last one, or since the oldest message after it', () => {
    const work = new OwnWork();
    expect(work.owedSince).toBeNull();
    work.sent(change(10), 10);
    expect(work.owedSince).toBe(10);
    work.sent(change(20), 20);
    work.acknowledged(1, 25);
    expect(work.owedSince).toBe(25);
  });
});

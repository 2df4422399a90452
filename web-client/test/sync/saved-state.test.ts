import { describe, expect, test } from 'vitest';
import { type SyncFacts, signExpiresIn, signOf } from '../../src/sync/saved-state';

const now = 100_000;
const facts = (over: Partial<SyncFacts>): SyncFacts => ({
  link: 'up',
  everUp: true,
  acknowledges: true,
  oldestWorkAt: null,
  lastWorkAt: 0,
  localStore: 'ok',
  storingSince: null,
  ...over,
});

describe('the saved sign', () => {
  test.each<[string, Partial<SyncFacts>, string, boolean]>([
    ['up, nothing of ours open', {}, 'saved', false],
    ['up, work younger than a second', { oldestWorkAt: now - 999 }, 'fading', false],
    ['up, work of a second', { oldestWorkAt: now - 1000 }, 'saving', true],
    ['up, acknowledged just now', { lastWorkAt: now - 100 }, 'fading', false],
    ['up, a server that acknowledges nothing', { acknowledges: false }, 'connected', false],
    ['down, nothing open', { link: 'down' }, 'reconnecting', false],
    ['down, never up', { link: 'down', everUp: false }, 'connecting', false],
    ['down, work kept here', { link: 'down', oldestWorkAt: 1 }, 'offline', true],
    [
      'down, work kept nowhere',
      { link: 'down', oldestWorkAt: 1, localStore: 'failed' },
      'not-saved',
      true,
    ],
    [
      'down, store failed, nothing open',
      { link: 'down', localStore: 'failed' },
      'reconnecting',
      false,
    ],
    ['refused, work kept here', { link: 'stopped', oldestWorkAt: 1 }, 'stopped', true],
    ['refused, nothing open', { link: 'stopped' }, 'stopped', false],
    [
      'refused, work kept nowhere',
      { link: 'stopped', oldestWorkAt: 1, localStore: 'failed' },
      'not-saved',
      true,
    ],
  ])('%s', (_name, over, kind, guard) => {
    expect(signOf(facts(over), now)).toEqual({ kind, guard, busy: false });
  });

  test('says saved in no state with open work, and in none without a connection', () => {
    for (const link of ['up', 'down', 'stopped'] as const) {
      for (const oldestWorkAt of [null, 0, now]) {
        for (const localStore of ['opening', 'ok', 'failed'] as const) {
          const { kind } = signOf(facts({ link, oldestWorkAt, localStore }), now);
          expect(kind === 'saved').toBe(link === 'up' && oldestWorkAt === null);
        }
      }
    }
  });

  test('is busy until this device has the work that it says is kept', () => {
    const offline = { link: 'down', oldestWorkAt: 1 } as const;
    const signAt = (storingSince: number) => signOf(facts({ ...offline, storingSince }), now);
    expect(signAt(now - 999)).toEqual({ kind: 'offline', guard: true, busy: true });
    expect(signAt(now - 1000)).toEqual({ kind: 'saving', guard: true, busy: true });
  });

  test('knows when it may change by itself', () => {
    expect(signExpiresIn(facts({ oldestWorkAt: now - 400 }), now)).toBe(600);
    expect(signExpiresIn(facts({ lastWorkAt: now - 50 }), now)).toBe(300);
    expect(signExpiresIn(facts({ link: 'down', storingSince: now - 400 }), now)).toBe(600);
    expect(signExpiresIn(facts({}), now)).toBeNull();
    expect(signExpiresIn(facts({ link: 'down', oldestWorkAt: 1 }), now)).toBeNull();
  });
});

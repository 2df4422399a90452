import { describe, expect, test } from 'vitest';
import { closeVerdict } from '../../src/sync/close-codes';

const half = () => 0.5;

describe('a close code', () => {
  test.each([
    [1006, '', null],
    [1011, 'internal', null],
    [1001, '', null],
    [4408, 'auth_timeout', null],
    [1012, 'restart', 2_500],
    [1013, 'try_later', 7_500],
    [4503, 'storage_unavailable', 7_500],
    [4503, 'storage_unavailable; retry=30', 33_000],
    [1013, 'rate_limited; retry=10', 11_000],
    [1012, 'restart; retry=2', 2_200],
  ])('%i "%s" comes back after %s ms', (code, reason, afterMs) => {
    expect(closeVerdict(code, reason, half)).toEqual({ kind: 'retry', afterMs });
  });

  test.each([
    [4400, 'bad_message', 'bad-message'],
    [4401, 'unauthorized', 'unauthorized'],
    [4403, 'forbidden', 'forbidden'],
    [4404, 'not_found', 'deleted'],
    [4409, 'generation_changed', 'other-generation'],
    [4409, 'clock_conflict', 'clock-conflict'],
    [4413, 'document_full', 'full'],
    [1009, 'too_big', 'too-big'],
    [4499, 'whatever', 'refused'],
  ])('%i "%s" is final: %s', (code, reason, refusal) => {
    expect(closeVerdict(code, reason, half)).toEqual({ kind: 'stop', refusal });
  });
});

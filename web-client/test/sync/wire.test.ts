import * as encoding from 'lib0/encoding';
import { describe, expect, test } from 'vitest';
import { readPast } from '../support/read-past';
import * as wire from '../../src/sync/wire';

const bytes = new Uint8Array([1, 2, 3]);
const join = (...parts: Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));

describe('a frame', () => {
  test('may carry several messages', () => {
    expect(
      wire.readFrame(join(wire.step1(bytes), wire.awareness(bytes), wire.update(bytes))),
    ).toEqual([
      { kind: 'step1', stateVector: bytes },
      { kind: 'awareness', update: bytes },
      { kind: 'update', update: bytes },
    ]);
  });

  test('announces acknowledgements with a generation, and later counts', () => {
    expect(wire.readFrame(new Uint8Array([8, 0, 7]))).toEqual([
      { kind: 'announce', generation: 7 },
    ]);
    expect(wire.readFrame(new Uint8Array([8, 3]))).toEqual([{ kind: 'ack', count: 3 }]);
  });

  test('ends at a kind that nobody knows', () => {
    expect(wire.readFrame(join(wire.queryAwareness(), new Uint8Array([99, 1, 2, 3])))).toEqual([
      { kind: 'query-awareness' },
    ]);
  });

  test('that ends inside a message is an error', () => {
    expect(() => wire.readFrame(wire.update(bytes).slice(0, -1))).toThrow();
  });

  test('hands over why access was denied', () => {
    const denied = encoding.encode((encoder) => {
      encoding.writeVarUint(encoder, 2);
      encoding.writeVarUint(encoder, 0);
      encoding.writeVarString(encoder, 'permission denied');
    });
    expect(wire.readFrame(denied)).toEqual([{ kind: 'denied', reason: 'permission denied' }]);
  });

  test('a past change tells its age in whole milliseconds, never a negative one', () => {
    expect(readPast(wire.pastUpdate(1234.6, bytes))).toEqual({ ageMs: 1235, update: bytes });
    expect(readPast(wire.pastUpdate(-5, bytes))).toEqual({ ageMs: 0, update: bytes });
  });
});

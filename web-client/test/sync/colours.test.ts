import { describe, expect, test } from 'vitest';
import { chooseColour, type ColourClaim, colourEverybody } from '../../src/sync/colours';

const claim = (
  client: number,
  colour: number | null,
  person: string | null = null,
): ColourClaim => ({
  client,
  person,
  colour,
});
const newcomer = claim(50, null, 'me');

describe('the colour of a newcomer', () => {
  test('is the lowest that nobody shows', () => {
    expect(chooseColour(newcomer, [], null)).toBe(1);
    expect(chooseColour(newcomer, [claim(1, 1), claim(2, 2), claim(3, 4)], null)).toBe(3);
  });

  test('is the remembered one while it is free', () => {
    expect(chooseColour(newcomer, [claim(1, 1)], 7)).toBe(7);
    expect(chooseColour(newcomer, [claim(1, 7)], 7)).toBe(1);
  });

  test('is that of the same person in another tab', () => {
    expect(chooseColour(newcomer, [claim(1, 1), claim(2, 5, 'me')], 7)).toBe(5);
  });

  test('is shared once all twelve are taken', () => {
    const all = Array.from({ length: 12 }, (_, index) => claim(index, index + 1));
    expect(chooseColour(newcomer, all, null)).toBeGreaterThanOrEqual(1);
    expect(chooseColour(newcomer, all, null)).toBeLessThanOrEqual(12);
  });
});

describe('two who show one colour', () => {
  const early = claim(10, 3, 'ada');
  const late = claim(20, 3, 'chen');

  test('agree that the later one yields', () => {
    expect(chooseColour(early, [late], null)).toBe(3);
    expect(chooseColour(late, [early], null)).toBe(1);
  });

  test('agree too when they are tabs of one person', () => {
    const first = claim(10, 3, 'ada');
    const second = claim(20, 6, 'ada');
    expect(chooseColour(first, [second], null)).toBe(3);
    expect(chooseColour(second, [first], null)).toBe(3);
  });
});

test('clients of other programs, which say no colour, are given the free ones in order', () => {
  const colours = colourEverybody([claim(9, null), claim(4, null), claim(7, 1)]);
  expect([...colours].toSorted(([a], [b]) => a - b)).toEqual([
    [4, 2],
    [7, 1],
    [9, 3],
  ]);
});

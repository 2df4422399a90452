import { expect, test } from 'vitest';
import { distinct, peopleOf } from '../../src/sync/presence';

test('people are listed whatever their programs say about them', () => {
  const states = new Map<number, unknown>([
    [3, { user: { id: 'p', name: ' Ada Okafor ', colorIndex: 4, color: '#966500' } }],
    [1, { user: { name: 'Chen', color: '#30bced' } }],
    [2, null],
    [4, { user: { name: 7, colorIndex: 99 } }],
    [5, 'nonsense'],
  ]);
  expect(
    peopleOf(states, 3).map(({ client, name, colour, isSelf }) => [client, name, colour, isSelf]),
  ).toEqual([
    [1, 'Chen', 1, false],
    [2, 'Someone', 2, false],
    [3, 'Ada Okafor', 4, true],
    [4, 'Someone', 3, false],
    [5, 'Someone', 5, false],
  ]);
});

test('a person with three tabs is one person', () => {
  const tab = { user: { id: 'ada', name: 'Ada', colorIndex: 1 } };
  const states = new Map<number, unknown>([[1, tab], [2, tab], [3, tab], [4, {}], [5, {}]]); // prettier-ignore
  expect(distinct(peopleOf(states, 1)).map(({ client }) => client)).toEqual([1, 4, 5]);
});

import { describe, expect, test } from 'vitest';
import { dayLabel, groupByDay, shortTime } from '../../src/home/days';

// A Friday.
const now = Date.parse('2026-11-20T15:30:00');
const at = (time: string): number => Date.parse(time);

describe('the heading of a day', () => {
  test.each([
    ['2026-11-20T15:29:59', 'Today'],
    ['2026-11-20T00:00:00', 'Today'],
    ['2026-11-19T23:59:59', 'Yesterday'],
    ['2026-11-18T10:00:00', 'Earlier this week'],
    ['2026-11-16T00:00:00', 'Earlier this week'],
    ['2026-11-15T23:00:00', 'Last week'],
    ['2026-11-09T00:00:00', 'Last week'],
    ['2026-11-08T23:00:00', 'November'],
    ['2026-03-01T10:00:00', 'March'],
    ['2025-12-24T10:00:00', 'December 2025'],
    ['2026-11-20T16:00:00', 'Today'],
  ])('%s is %s', (time, label) => {
    expect(dayLabel(at(time), now)).toBe(label);
  });
});

describe('a time in a list', () => {
  test.each([
    ['2026-11-20T15:29:30', 'now'],
    ['2026-11-20T15:04:00', '26 min'],
    ['2026-11-20T13:10:00', '2 h'],
    ['2026-11-19T17:40:00', 'Thu 17:40'],
    ['2026-11-18T10:00:00', 'Wed'],
    ['2026-11-03T10:00:00', '3 Nov'],
    ['2025-11-03T10:00:00', '3 Nov 2025'],
  ])('%s reads %s', (time, text) => {
    expect(shortTime(at(time), now)).toBe(text);
  });
});

test('a list is grouped under its days, newest first', () => {
  const times = ['2026-11-18T10:00:00', '2026-11-20T10:00:00', '2026-11-20T12:00:00'];
  const items = times.map((time) => ({ editedAt: at(time) }));
  expect(
    groupByDay(items, now).map(({ label, items: group }) => [
      label,
      group.map((item) => item.editedAt),
    ]),
  ).toEqual([
    ['Today', [at('2026-11-20T12:00:00'), at('2026-11-20T10:00:00')]],
    ['Earlier this week', [at('2026-11-18T10:00:00')]],
  ]);
});

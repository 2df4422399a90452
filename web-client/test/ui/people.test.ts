import { describe, expect, test } from 'vitest';
import { coloursByName, initials } from '../../src/ui/author-colours';
import { listNames } from '../../src/ui/avatar';

test.each([
  ['Ada Okafor', 'AO'],
  ['chen', 'C'],
  ['Jean Paul de la Cour', 'JC'],
  ['  ', ''],
  ['Élodie Żak', 'ÉŻ'],
])('the initials of "%s" are %s', (name, letters) => {
  expect(initials(name)).toBe(letters);
});

describe('the colours of a list', () => {
  const names = Array.from({ length: 12 }, (_, index) => `Person ${index}`);

  test('differ as long as there are colours, and ours is the first', () => {
    const colours = coloursByName('Person 7', names);
    expect(new Set(colours.values()).size).toBe(12);
    expect(colours.get('Person 7')).toBe(1);
  });

  test('do not depend on the order', () => {
    const [one, other] = [coloursByName('me', names), coloursByName('me', names.toReversed())];
    expect([...other].toSorted()).toEqual([...one].toSorted());
  });

  test('are shared by more than twelve', () => {
    expect(coloursByName('me', [...names, 'Thirteen']).size).toBe(14);
  });
});

test('names are listed as they are read aloud', () => {
  expect(listNames(['Ada'])).toBe('Ada');
  expect(listNames(['Ada', 'Chen'])).toBe('Ada and Chen');
  expect(listNames(['Ada', 'Chen', 'Jun'])).toBe('Ada, Chen and Jun');
  expect(listNames(['Ada', 'Chen', 'Jun', 'Mara', 'Ida'])).toBe('Ada, Chen and 3 more');
});

import { Text } from '@codemirror/state';
import { describe, expect, test } from 'vitest';
import { plain, sectionAt, titleOf } from '../../src/editor/outline';

const text = (...lines: string[]): Text => Text.of(lines);

describe('a document’s title', () => {
  test.each([
    [['# The river', '', 'Words'], 'The river'],
    [['', 'No heading **here**', 'more'], 'No heading here'],
    [['intro', '## Later heading'], 'Later heading'],
    [['#', 'first words'], 'first words'],
    [['- [x] done'], 'done'],
    [[''], ''],
    [['# *Emphasis* and [a link](https://example.org)'], 'Emphasis and a link'],
  ])('of %j is "%s"', (lines, title) => {
    expect(titleOf(text(...lines))).toBe(title);
  });
});

test('names with underscores keep them', () => {
  expect(plain('snake_case_name')).toBe('snake_case_name');
});

test('a place belongs to the section whose heading stands before it', () => {
  const doc = text('intro', '# One', 'a', '## Two', 'b');
  expect(sectionAt(doc, 0)).toBe('');
  expect(sectionAt(doc, doc.line(3).from)).toBe('One');
  expect(sectionAt(doc, doc.length)).toBe('Two');
});

import { describe, expect, test } from 'vitest';
import * as Y from 'yjs';
import type { OwnUpdate } from '../../src/sync/own-work';
import { countWords, wordsIn } from '../../src/sync/words';

describe('words', () => {
  test.each([
    ['', 0],
    ['  \n ', 0],
    ['one', 1],
    ['Don’t stop at 17:40, Ada-Maria!', 6],
    ['# Heading\n\n- [ ] task **bold**', 3],
    ['Žluťoučký kůň', 2],
  ])('"%s" has %i', (text, count) => {
    expect(countWords(text)).toBe(count);
  });
});

const record = (doc: Y.Doc): OwnUpdate[] => {
  const updates: OwnUpdate[] = [];
  doc.on('update', (update: Uint8Array) => updates.push({ update, at: 0, offline: true }));
  return updates;
};

describe('words waiting to be sent', () => {
  test('are those of the waiting changes that still stand', () => {
    const doc = new Y.Doc();
    const text = doc.getText('content');
    text.insert(0, 'already on the server');
    const waiting = record(doc);
    for (const letter of ' and four more words') text.insert(text.length, letter);
    expect(wordsIn(text, waiting)).toBe(4);
    text.delete(text.length - ' more words'.length, ' more words'.length);
    expect(wordsIn(text, waiting)).toBe(2);
  });

  test('are none when something was only deleted', () => {
    const doc = new Y.Doc();
    const text = doc.getText('content');
    text.insert(0, 'already there');
    const waiting = record(doc);
    text.delete(0, 8);
    expect(wordsIn(text, waiting)).toBe(0);
  });

  test('are counted in every place where they stand', () => {
    const doc = new Y.Doc();
    const text = doc.getText('content');
    text.insert(0, 'a c');
    const waiting = record(doc);
    text.insert(2, 'b ');
    text.insert(text.length, ' d');
    expect(wordsIn(text, waiting)).toBe(2);
  });
});

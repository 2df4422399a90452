import * as Y from 'yjs';
import type { OwnUpdate } from './own-work';

const kWord = /[\p{L}\p{N}]+(?:['’\-.,][\p{L}\p{N}]+)*/gu;

/** How many words a text has. */
export function countWords(text: string): number {
  return text.match(kWord)?.length ?? 0;
}

/** From which clock on each client's text is among these updates. */
function firstClocks(updates: readonly OwnUpdate[]): Map<number, number> {
  const first = new Map<number, number>();
  for (const { update } of updates) {
    for (const [client, clock] of Y.parseUpdateMeta(update).from) {
      first.set(client, Math.min(clock, first.get(client) ?? clock));
    }
  }
  return first;
}

/**
 * How many words of `text` were written in these updates and still stand. A word that was only
 * added to counts, since part of it is new. Walks the whole text once.
 */
export function wordsIn(text: Y.Text, updates: readonly OwnUpdate[]): number {
  const first = firstClocks(updates);
  let words = 0;
  let run = '';
  for (let item = text._start; item !== null; item = item.right) {
    if (item.deleted || !(item.content instanceof Y.ContentString)) continue;
    const from = first.get(item.id.client);
    const skip = from === undefined ? item.length : Math.max(0, from - item.id.clock);
    if (skip > 0) {
      words += countWords(run);
      run = '';
    }
    run += item.content.str.slice(skip);
  }
  return words + countWords(run);
}

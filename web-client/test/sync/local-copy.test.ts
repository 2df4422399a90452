import 'fake-indexeddb/auto';
import { afterEach, expect, test, vi } from 'vitest';
import * as Y from 'yjs';
import { openLocalCopy } from '../../src/sync/local-copy';
import { documentsWithWork } from '../../src/sync/waiting-updates';

let count = 0;
const freshName = (): string => `document-${(count += 1)}`;
const change = (at: number) => {
  const doc = new Y.Doc();
  doc.clientID = at;
  doc.getText('content').insert(0, `${at}`);
  return { update: Y.encodeStateAsUpdate(doc), at, offline: at % 2 === 1 };
};
const rest = () => new Promise((resolve) => setTimeout(resolve, 30));

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test('a text written in one visit is there in the next', async () => {
  const name = freshName();
  const doc = new Y.Doc();
  const copy = await openLocalCopy(name, doc);
  doc.getText('content').insert(0, 'kept');
  await rest();
  copy.close();

  const later = new Y.Doc();
  await openLocalCopy(name, later);
  expect(later.getText('content').toString()).toBe('kept');
});

test('unacknowledged changes come back one by one, in order, with their times', async () => {
  const name = freshName();
  const copy = await openLocalCopy(name, new Y.Doc());
  for (const at of [1, 2, 3]) await copy.waiting.add(change(at));
  copy.close();

  const next = await openLocalCopy(name, new Y.Doc());
  expect(next.earlier).toEqual([change(1), change(2), change(3)]);
  const other = await openLocalCopy(freshName(), new Y.Doc());
  expect(other.earlier).toEqual([]);
});

test('the documents with something that waits are known by name', async () => {
  const [one, other] = [freshName(), freshName()];
  for (const name of [one, other]) {
    const copy = await openLocalCopy(name, new Y.Doc());
    await copy.waiting.add(change(1));
    await copy.waiting.add(change(2));
    copy.close();
  }
  const names = await documentsWithWork();
  expect(names).toEqual(expect.arrayContaining([one, other]));
  expect(new Set(names).size).toBe(names.length);
});

test('acknowledged changes are forgotten', async () => {
  const name = freshName();
  const copy = await openLocalCopy(name, new Y.Doc());
  await copy.waiting.add(change(1));
  copy.waiting.clear();
  await rest();
  expect((await openLocalCopy(name, new Y.Doc())).earlier).toEqual([]);
});

test('changes handed in together are all on disk when the last of them is', async () => {
  const name = freshName();
  const copy = await openLocalCopy(name, new Y.Doc());
  const all = [1, 2, 3, 4, 5];
  await all.map((at) => copy.waiting.add(change(at))).at(-1);
  const next = await openLocalCopy(name, new Y.Doc());
  expect(next.earlier).toEqual(all.map(change));
});

test('changes still being written when they are acknowledged are forgotten, later ones kept', async () => {
  const name = freshName();
  const copy = await openLocalCopy(name, new Y.Doc());
  const written = copy.waiting.add(change(1));
  await Promise.resolve();
  await Promise.resolve();
  void copy.waiting.add(change(2));
  copy.waiting.clear();
  await Promise.all([written, copy.waiting.add(change(3))]);
  await rest();
  expect((await openLocalCopy(name, new Y.Doc())).earlier).toEqual([change(3)]);
});

test('closing loses nothing that was handed in', async () => {
  const name = freshName();
  const copy = await openLocalCopy(name, new Y.Doc());
  void copy.waiting.add(change(1));
  void copy.waiting.add(change(2));
  copy.close();
  expect((await openLocalCopy(name, new Y.Doc())).earlier).toEqual([change(1), change(2)]);
});

test('what waits is in the text although the copy missed it', async () => {
  const name = freshName();
  const copy = await openLocalCopy(name, new Y.Doc());
  const doc = new Y.Doc();
  doc.getText('content').insert(0, 'typed at the last moment');
  await copy.waiting.add({ update: Y.encodeStateAsUpdate(doc), at: 1, offline: true });
  copy.close();
  for (let visit = 0; visit < 2; visit += 1) {
    const later = new Y.Doc();
    const reopened = await openLocalCopy(name, later);
    expect(later.getText('content').toString()).toBe('typed at the last moment');
    await rest();
    reopened.waiting.clear(); // the copy has it from the first visit
    await rest();
    reopened.close();
  }
});

test('the generation stays with the copy', async () => {
  const name = freshName();
  const copy = await openLocalCopy(name, new Y.Doc());
  expect(copy.generation).toBeNull();
  copy.rememberGeneration(4);
  await rest();
  expect((await openLocalCopy(name, new Y.Doc())).generation).toBe(4);
});

test('a browser that keeps nothing is found out at once', async () => {
  vi.stubGlobal('indexedDB', {
    open: () => {
      throw new Error('not allowed');
    },
  });
  await expect(openLocalCopy(freshName(), new Y.Doc())).rejects.toThrow('not allowed');
});

test('a store that never answers is given up after five seconds', async () => {
  vi.useFakeTimers();
  vi.stubGlobal('indexedDB', { open: () => new EventTarget() });
  const opening = openLocalCopy(freshName(), new Y.Doc());
  const outcome = expect(opening).rejects.toThrow('does not answer');
  await vi.advanceTimersByTimeAsync(5_000);
  await outcome;
});

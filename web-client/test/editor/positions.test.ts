import { expect, test } from 'vitest';
import * as Y from 'yjs';
import { resolveAll } from '../../src/editor/positions';

/** A small generator, so that a failure can be seen again. */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * sides);
  };
}

function exchange(docs: readonly Y.Doc[]): void {
  for (const from of docs) {
    for (const to of docs) Y.applyUpdate(to, Y.encodeStateAsUpdate(from, Y.encodeStateVector(to)));
  }
}

test('positions are found where Yjs itself finds them, whatever was typed and undone', () => {
  for (let seed = 1; seed <= 60; seed += 1) {
    const roll = dice(seed);
    const docs = [new Y.Doc(), new Y.Doc()] as const;
    docs.forEach((doc, index) => (doc.clientID = index + 1));
    const texts = docs.map((doc) => doc.getText('content'));
    const undo = new Y.UndoManager(texts[0] as Y.Text, { captureTimeout: 0 });
    const positions: Y.RelativePosition[] = [];
    for (let step = 0; step < 40; step += 1) {
      const text = texts[roll(2)] as Y.Text;
      const at = roll(text.length + 1);
      const kind = roll(10);
      if (kind < 5) text.insert(at, 'abc'.slice(0, 1 + roll(3)));
      else if (kind < 7) text.delete(at, Math.min(roll(4), text.length - at));
      else if (kind < 8) undo.undo();
      else if (kind < 9) exchange(docs);
      positions.push(
        Y.createRelativePositionFromTypeIndex(text, roll(text.length + 1), roll(2) - 1),
      );
    }
    exchange(docs);
    const expected = positions.map(
      (position) => Y.createAbsolutePositionFromRelativePosition(position, docs[0])?.index ?? null,
    );
    expect(resolveAll(texts[0] as Y.Text, positions), `seed ${seed}`).toEqual(expected);
  }
});

test('a position in text that has not come yet is not found', () => {
  const ahead = new Y.Doc();
  ahead.getText('content').insert(0, 'news');
  const position = Y.createRelativePositionFromTypeIndex(ahead.getText('content'), 2);
  expect(resolveAll(new Y.Doc().getText('content'), [position])).toEqual([null]);
});

import { EditorState } from '@codemirror/state';
import { describe, expect, test } from 'vitest';
import {
  changeCarets,
  isLabelBelow,
  type LabelPlace,
  type RemoteCaret,
  remoteCarets,
} from '../../src/editor/remote-carets';

const caret = (client: number, anchor: number, head = anchor): RemoteCaret => ({
  client,
  name: `Person ${client}`,
  colour: client,
  anchor,
  head,
  loudUntil: 0,
});

const editorWith = (doc: string, ...put: RemoteCaret[]): EditorState =>
  EditorState.create({ doc, extensions: [remoteCarets] }).update({
    effects: changeCarets.of({ put, remove: [] }),
  }).state;

const heads = (state: EditorState): number[] =>
  [...state.field(remoteCarets).values()].map(({ head }) => head);

describe('the carets of others', () => {
  test('move along with text that is inserted and deleted before them', () => {
    const state = editorWith('hello world', caret(1, 2), caret(2, 8), caret(3, 11));
    expect(heads(state.update({ changes: { from: 5, insert: ' big' } }).state)).toEqual([
      2, 12, 15,
    ]);
    expect(heads(state.update({ changes: { from: 0, to: 6 } }).state)).toEqual([0, 2, 5]);
  });

  test('stand behind what is typed at them', () => {
    const state = editorWith('ab', caret(1, 1));
    expect(heads(state.update({ changes: { from: 1, insert: 'xyz' } }).state)).toEqual([4]);
  });

  test('keep their selections around the same words', () => {
    const state = editorWith('one two three', caret(1, 4, 7));
    const after = state.update({ changes: { from: 0, insert: 'zero ' } }).state;
    const moved = after.field(remoteCarets).get(1);
    expect(after.sliceDoc(moved?.anchor, moved?.head)).toBe('two');
  });

  test('go when their person goes', () => {
    const state = editorWith('text', caret(1, 1), caret(2, 2));
    const effects = changeCarets.of({ put: [], remove: [1] });
    expect([...state.update({ effects }).state.field(remoteCarets).keys()]).toEqual([2]);
  });
});

const place = (over: Partial<LabelPlace>): LabelPlace => ({
  caretTop: 300,
  caretBottom: 325,
  textAbove: false,
  viewTop: 50,
  ownTop: null,
  ...over,
});

describe('the name at a caret', () => {
  test.each<[string, Partial<LabelPlace>, boolean]>([
    ['stands above an empty place', {}, false],
    ['stands below in the first visible line', { caretTop: 55, caretBottom: 80 }, true],
    ['stands below when text stands above', { textAbove: true }, true],
    ['never covers the line being typed below', { textAbove: true, ownTop: 328 }, false],
    ['never covers the line being typed above', { ownTop: 272 }, true],
    ['heeds text above when the own line is far', { textAbove: true, ownTop: 600 }, true],
  ])('%s', (_name, over, below) => {
    expect(isLabelBelow(place(over))).toBe(below);
  });
});

import { EditorSelection, EditorState, type StateCommand } from '@codemirror/state';
import { describe, expect, test } from 'vitest';
import {
  cycleHeading,
  insertLink,
  toggleEmphasis,
  toggleList,
  toggleStrong,
  toggleTask,
} from '../../src/editor/commands';

/** Runs a command in a text where [ and ] stand for the selection, or | for the caret. */
function run(command: StateCommand, picture: string): string {
  const caret = picture.indexOf('|');
  const start = picture.indexOf('‹');
  const doc = picture.replaceAll(/[|‹›]/gu, '');
  const selection =
    caret >= 0
      ? EditorSelection.cursor(caret)
      : EditorSelection.range(start, picture.indexOf('›') - 1);
  let state = EditorState.create({
    doc,
    selection: EditorSelection.single(selection.anchor, selection.head),
  });
  command({ state, dispatch: (transaction) => (state = transaction.state) });
  const { from, to, empty } = state.selection.main;
  const after = state.doc.toString();
  if (empty) return `${after.slice(0, from)}|${after.slice(from)}`;
  return `${after.slice(0, from)}‹${after.slice(from, to)}›${after.slice(to)}`;
}

describe('heading', () => {
  test.each([
    ['title|', '# title|'],
    ['# title|', '## title|'],
    ['### title|', 'title|'],
    ['|', '# |'],
  ])('%s → %s', (before, after) => expect(run(cycleHeading, before)).toBe(after));
});

describe('strong and emphasis', () => {
  test.each([
    [toggleStrong, '‹words›', '**‹words›**'],
    [toggleStrong, '**‹words›**', '‹words›'],
    [toggleStrong, 'one wo|rd here', 'one **wo|rd** here'],
    [toggleStrong, '|', '**|**'],
    [toggleEmphasis, '‹words›', '*‹words›*'],
    [toggleEmphasis, '*‹words›*', '‹words›'],
    [toggleEmphasis, '**‹words›**', '***‹words›***'],
  ])('%o %s → %s', (command, before, after) => expect(run(command, before)).toBe(after));
});

describe('lists and tasks', () => {
  test.each([
    [toggleList, 'milk|', '- milk|'],
    [toggleList, '- milk|', 'milk|'],
    [toggleList, '  milk|', '  - milk|'],
    [toggleList, '- [ ] milk|', '- milk|'],
    [toggleList, '‹one\ntwo›', '- ‹one\n- two›'],
    [toggleTask, 'milk|', '- [ ] milk|'],
    [toggleTask, '- milk|', '- [ ] milk|'],
    [toggleTask, '- [ ] milk|', '- [x] milk|'],
    [toggleTask, '- [x] milk|', '- [ ] milk|'],
  ])('%o %s → %s', (command, before, after) => expect(run(command, before)).toBe(after));
});

describe('link', () => {
  test.each([
    ['‹words›', '[words](‹https://›)'],
    ['|', '[|](https://)'],
  ])('%s → %s', (before, after) => expect(run(insertLink, before)).toBe(after));
});

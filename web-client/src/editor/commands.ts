import { indentLess, indentMore, insertTab } from '@codemirror/commands';
import {
  type ChangeSpec,
  EditorSelection,
  type EditorState,
  type Line,
  type StateCommand,
} from '@codemirror/state';
import type { KeyBinding } from '@codemirror/view';

const kList = /^(\s*)(?:[-*+]|\d+[.)])\s(?:\[[ xX]\]\s)?/;
const kTask = /^(\s*)[-*+]\s\[([ xX])\]\s/;
const kHeading = /^(#{1,6})\s+/;

function selectedLines(state: EditorState): Line[] {
  const lines: Line[] = [];
  const { from, to } = state.selection.main;
  for (let at = state.doc.lineAt(from); ; at = state.doc.line(at.number + 1)) {
    lines.push(at);
    if (at.to >= to) return lines;
  }
}

/** Replaces the beginning of each selected line; `edit` answers how much of it, and by what. */
function editLineStarts(edit: (line: Line) => { drop: number; insert: string }): StateCommand {
  return ({ state, dispatch }) => {
    const changes: ChangeSpec[] = selectedLines(state).map((line) => {
      const { drop, insert } = edit(line);
      return { from: line.from, to: line.from + drop, insert };
    });
    const set = state.changes(changes);
    // After what is inserted, so that an empty line goes on behind its new mark.
    const selection = EditorSelection.single(
      set.mapPos(state.selection.main.anchor, 1),
      set.mapPos(state.selection.main.head, 1),
    );
    dispatch(state.update({ changes: set, selection, userEvent: 'input', scrollIntoView: true }));
    return true;
  };
}

/** Plain line → heading 1 → 2 → 3 → plain line. */
export const cycleHeading: StateCommand = editLineStarts((line) => {
  const found = kHeading.exec(line.text);
  const level = found?.[1]?.length ?? 0;
  return { drop: found?.[0].length ?? 0, insert: level < 3 ? `${'#'.repeat(level + 1)} ` : '' };
});

/** List item or plain line. */
export const toggleList: StateCommand = editLineStarts((line) => {
  const found = kList.exec(line.text);
  if (found && !kTask.test(line.text)) return { drop: found[0].length, insert: found[1] ?? '' };
  const indent = /^\s*/.exec(line.text)?.[0] ?? '';
  return { drop: found?.[0].length ?? indent.length, insert: `${indent}- ` };
});

/** Plain line or item → open task → done task → open task. */
export const toggleTask: StateCommand = editLineStarts((line) => {
  const indent = /^\s*/.exec(line.text)?.[0] ?? '';
  const task = kTask.exec(line.text);
  if (task) return { drop: task[0].length, insert: `${indent}- [${task[2] === ' ' ? 'x' : ' '}] ` };
  const drop = kList.exec(line.text)?.[0].length ?? indent.length;
  return { drop, insert: `${indent}- [ ] ` };
});

/** The word at a place that touches one, else the place itself; else the selection. */
function wordOrSelection(state: EditorState): { from: number; to: number } {
  const { main } = state.selection;
  return main.empty ? (state.wordAt(main.head) ?? main) : main;
}

/** Puts `mark` on both sides of the selection, or takes it away. */
function toggleMark(mark: string): StateCommand {
  return ({ state, dispatch }) => {
    const size = mark.length;
    const { from, to } = wordOrSelection(state);
    const around = (at: number) => state.sliceDoc(Math.max(0, at - size), at);
    const behind = state.sliceDoc(to, to + size);
    // One star beside another belongs to a strong passage, not to an emphasised one.
    const isDouble = size === 1 && around(from - size) === mark && around(from) === mark;
    const isMarked = around(from) === mark && behind === mark && !isDouble;
    const changes = isMarked
      ? [{ from: from - size, to: from }, { from: to, to: to + size }]
      : [{ from, insert: mark }, { from: to, insert: mark }]; // prettier-ignore
    const shift = isMarked ? -size : size;
    const { anchor, head } = state.selection.main;
    const selection = EditorSelection.single(anchor + shift, head + shift);
    dispatch(state.update({ changes, selection, userEvent: 'input', scrollIntoView: true }));
    return true;
  };
}

export const toggleStrong: StateCommand = toggleMark('**');
export const toggleEmphasis: StateCommand = toggleMark('*');

/** Makes the selection the words of a link and selects its address, to be typed over. */
export const insertLink: StateCommand = ({ state, dispatch }) => {
  const { from, to } = wordOrSelection(state);
  const address = 'https://';
  const words = state.sliceDoc(from, to);
  const at = from + words.length + 3;
  dispatch(
    state.update({
      changes: { from, to, insert: `[${words}](${address})` },
      selection:
        words === ''
          ? EditorSelection.cursor(from + 1)
          : EditorSelection.range(at, at + address.length),
      userEvent: 'input',
      scrollIntoView: true,
    }),
  );
  return true;
};

const isInList = (state: EditorState): boolean =>
  kList.test(state.doc.lineAt(state.selection.main.head).text);

/** The keys for Markdown. Tab indents list items and is a tab elsewhere; Esc, then Tab, leaves. */
export const markdownKeys: readonly KeyBinding[] = [
  { key: 'Mod-b', run: toggleStrong, preventDefault: true },
  { key: 'Mod-i', run: toggleEmphasis, preventDefault: true },
  { key: 'Mod-k', run: insertLink, preventDefault: true },
  {
    key: 'Tab',
    run: (view) => (isInList(view.state) ? indentMore(view) : insertTab(view)),
    shift: indentLess,
  },
];

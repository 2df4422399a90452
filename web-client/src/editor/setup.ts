import { defaultKeymap } from '@codemirror/commands';
import { search, searchKeymap } from '@codemirror/search';
import { EditorState, type Extension } from '@codemirror/state';
import {
  dropCursor,
  EditorView,
  highlightActiveLine,
  keymap,
  placeholder,
  type ViewUpdate,
} from '@codemirror/view';
import { yCollab, yUndoManagerKeymap } from 'y-codemirror.next';
import * as Y from 'yjs';
import type { SharedDocument } from '../sync/shared-document';
import { markdownKeys } from './commands';
import { followPeers } from './follow-peers';
import { markdownEditing } from './markdown';
import { titleOf } from './outline';
import { publishCursor } from './publish-cursor';
import { showRemoteCarets } from './remote-carets';
import { whereabouts } from './whereabouts';

const nonce = (): string =>
  document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content ?? '';

/** How the text behaves as a text field: named by its title, checked by the browser's speller. */
const asTextField: Extension = [
  EditorView.contentAttributes.of((view) => ({
    'aria-label': titleOf(view.state.doc) || 'Untitled',
    tabindex: '0',
    spellcheck: 'true',
    autocorrect: 'on',
    autocapitalize: 'sentences',
  })),
  // Offsets are those of the shared text, in which a carriage return is a character like others.
  EditorState.lineSeparator.of('\n'),
  EditorView.clipboardInputFilter.of((text) => text.replace(/\r\n?/g, '\n')),
];

/** An editor, and the way to let go of it. */
export interface Editor {
  readonly view: EditorView;
  readonly undoManager: Y.UndoManager;
  close(): void;
}

/** Shows a shared text in `parent`, to be written in by everybody. */
export function createEditor(
  parent: HTMLElement,
  shared: SharedDocument,
  onUpdate: (update: ViewUpdate) => void,
): Editor {
  const { text, awareness } = shared;
  // Undoes what this editor did and nothing else: its own origin is the only one that is tracked.
  const undoManager = new Y.UndoManager(text, { trackedOrigins: new Set() });
  const view = new EditorView({
    parent,
    state: EditorState.create({
      doc: text.toString(),
      extensions: [
        EditorView.cspNonce.of(nonce()),
        asTextField,
        EditorView.lineWrapping,
        yCollab(text, null, { undoManager }),
        markdownEditing,
        keymap.of([...markdownKeys, ...yUndoManagerKeymap, ...searchKeymap, ...defaultKeymap]),
        search({ top: true }),
        highlightActiveLine(),
        dropCursor(),
        placeholder('Write something.'),
        showRemoteCarets,
        followPeers(text, awareness),
        publishCursor(text, awareness),
        whereabouts,
        EditorView.updateListener.of(onUpdate),
      ],
    }),
  });
  return {
    view,
    undoManager,
    close() {
      view.destroy();
      undoManager.destroy();
    },
  };
}

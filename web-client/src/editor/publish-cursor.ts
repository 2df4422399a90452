import type { Extension } from '@codemirror/state';
import { type EditorView, ViewPlugin, type ViewUpdate } from '@codemirror/view';
import * as Y from 'yjs';
import type { Awareness } from 'y-protocols/awareness';

/**
 * Tells the others where our cursor is, from the first time that the text has the focus. As
 * positions relative to the text's items, which stay right whatever anybody types; the shape is
 * that of y-codemirror.next, so that its users see us too.
 */
class CursorPublisher {
  private isPlanned = false;

  constructor(
    private readonly view: EditorView,
    private readonly text: Y.Text,
    private readonly awareness: Awareness,
  ) {
    awareness.on('change', this.onChange);
  }

  update(update: ViewUpdate): void {
    const isOwn = update.selectionSet || update.transactions.some((tr) => tr.isUserEvent('input'));
    if ((update.focusChanged || isOwn) && update.view.hasFocus) this.plan();
  }

  destroy(): void {
    this.awareness.off('change', this.onChange);
  }

  /** We have just been introduced, or have come back. */
  private readonly onChange = ({ added }: { added: number[] }): void => {
    const isUs = added.includes(this.awareness.clientID);
    if (isUs && this.view.hasFocus) this.plan();
  };

  /** After the running update has reached the shared text. */
  private plan(): void {
    if (this.isPlanned) return;
    this.isPlanned = true;
    queueMicrotask(() => this.publish());
  }

  private publish(): void {
    this.isPlanned = false;
    if (this.awareness.getLocalState() === null) return;
    const { anchor, head } = this.view.state.selection.main;
    const cursor = { anchor: this.relative(anchor), head: this.relative(head) };
    this.awareness.setLocalStateField('cursor', cursor);
  }

  private relative(offset: number): unknown {
    return Y.relativePositionToJSON(Y.createRelativePositionFromTypeIndex(this.text, offset));
  }
}

/** Keeps our cursor in awareness. */
export const publishCursor = (text: Y.Text, awareness: Awareness): Extension =>
  ViewPlugin.define((view) => new CursorPublisher(view, text, awareness));

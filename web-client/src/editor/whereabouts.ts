import type { Extension } from '@codemirror/state';
import { type EditorView, ViewPlugin, type ViewUpdate } from '@codemirror/view';
import { type RemoteCaret, remoteCarets } from './remote-carets';

interface Mark {
  readonly caret: RemoteCaret;
  /** 0 at the top of the text, 1 at its end. */
  readonly at: number;
}

/** Marks beside the scrollbar: where in the whole text the others are. */
class Whereabouts {
  private readonly dom = document.createElement('div');
  private readonly measure = {
    key: this,
    read: (view: EditorView) => this.read(view),
    write: (marks: readonly Mark[]) => this.write(marks),
  };

  constructor(private readonly view: EditorView) {
    this.dom.className = 'whereabouts';
    this.dom.setAttribute('aria-hidden', 'true');
    view.dom.append(this.dom);
  }

  update(update: ViewUpdate): void {
    const moved = update.startState.field(remoteCarets) !== update.state.field(remoteCarets);
    if (moved || update.geometryChanged) this.view.requestMeasure(this.measure);
  }

  destroy(): void {
    this.dom.remove();
  }

  private read(view: EditorView): Mark[] {
    const { doc } = view.state;
    const { padding } = { padding: view.documentPadding.top };
    const height = Math.max(view.scrollDOM.scrollHeight, view.scrollDOM.clientHeight);
    return [...view.state.field(remoteCarets).values()].map((caret) => {
      const block = view.lineBlockAt(Math.min(caret.head, doc.length));
      return { caret, at: (padding + block.top + block.height / 2) / height };
    });
  }

  private write(marks: readonly Mark[]): void {
    while (this.dom.children.length < marks.length) this.dom.append(document.createElement('i'));
    while (this.dom.children.length > marks.length) this.dom.lastElementChild?.remove();
    marks.forEach(({ caret, at }, index) => {
      const mark = this.dom.children[index];
      if (!(mark instanceof HTMLElement)) return;
      mark.className = `a${caret.colour}`;
      mark.style.top = `${(at * 100).toFixed(2)}%`;
    });
  }
}

export const whereabouts: Extension = ViewPlugin.fromClass(Whereabouts);

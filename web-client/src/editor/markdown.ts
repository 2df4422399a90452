import { markdownKeymap, markdownLanguage, pasteURLAsLink } from '@codemirror/lang-markdown';
import { LanguageSupport, syntaxHighlighting, syntaxTree } from '@codemirror/language';
import { type Extension, Prec, type Range } from '@codemirror/state';
import {
  Decoration,
  type DecorationSet,
  type EditorView,
  keymap,
  ViewPlugin,
  type ViewUpdate,
} from '@codemirror/view';
import { tagHighlighter, tags } from '@lezer/highlight';

// Marks stay in the text, quietly; the words show what the marks mean.
const inline = tagHighlighter([
  { tag: tags.processingInstruction, class: 'md-mark' },
  { tag: tags.contentSeparator, class: 'md-mark' },
  { tag: tags.atom, class: 'md-mark' },
  { tag: tags.labelName, class: 'md-mark' },
  { tag: tags.url, class: 'md-url' },
  { tag: tags.link, class: 'md-link' },
  { tag: tags.strong, class: 'md-strong' },
  { tag: tags.emphasis, class: 'md-em' },
  { tag: tags.strikethrough, class: 'md-struck' },
  { tag: tags.monospace, class: 'md-code' },
]);

/** The class of the lines that a node of the syntax tree covers. */
const kLineClasses: Readonly<Record<string, string>> = {
  ATXHeading1: 'md-h1',
  ATXHeading2: 'md-h2',
  ATXHeading3: 'md-h3',
  ATXHeading4: 'md-h3',
  ATXHeading5: 'md-h3',
  ATXHeading6: 'md-h3',
  SetextHeading1: 'md-h1',
  SetextHeading2: 'md-h2',
  Blockquote: 'md-quote',
  FencedCode: 'md-block',
  CodeBlock: 'md-block',
};

function decorateLines(view: EditorView): DecorationSet {
  const ranges: Range<Decoration>[] = [];
  const { doc } = view.state;
  const tree = syntaxTree(view.state);
  for (const { from, to } of view.visibleRanges) {
    tree.iterate({
      from,
      to,
      enter(node) {
        const name = kLineClasses[node.name];
        if (name === undefined) return;
        const line = Decoration.line({ class: name });
        const end = Math.min(node.to, to);
        for (let at = doc.lineAt(Math.max(node.from, from)); ; at = doc.line(at.number + 1)) {
          ranges.push(line.range(at.from));
          if (at.to >= end || at.number === doc.lines) break;
        }
      },
    });
  }
  return Decoration.set(ranges, true);
}

const lines = ViewPlugin.fromClass(
  class {
    decorations: DecorationSet;

    constructor(view: EditorView) {
      this.decorations = decorateLines(view);
    }

    update(update: ViewUpdate): void {
      const parsed = syntaxTree(update.startState) !== syntaxTree(update.state);
      if (update.docChanged || update.viewportChanged || parsed) {
        this.decorations = decorateLines(update.view);
      }
    }
  },
  { decorations: (plugin) => plugin.decorations },
);

/**
 * Markdown (GFM) as it is typed: lists go on by themselves, a pasted address becomes a link.
 * Not `markdown()`, which brings the HTML, CSS and JavaScript parsers with it.
 */
export const markdownEditing: Extension = [
  new LanguageSupport(markdownLanguage, [Prec.high(keymap.of(markdownKeymap)), pasteURLAsLink]),
  syntaxHighlighting(inline),
  lines,
];

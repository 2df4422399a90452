import '../styles/editor.css';
import { EditorView } from '@codemirror/view';
import type { StateCommand } from '@codemirror/state';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { useLocation, useRoute } from 'preact-iso';
import {
  cycleHeading,
  insertLink,
  toggleEmphasis,
  toggleList,
  toggleStrong,
  toggleTask,
} from '../editor/commands';
import { copyToNewDocument } from '../editor/copy-to-new';
import { EditorModel } from '../editor/model';
import { remoteCarets } from '../editor/remote-carets';
import { createEditor, type Editor } from '../editor/setup';
import { openDocument } from '../sync/browser';
import { closeWhenSent } from '../sync/errands';
import type { Person } from '../sync/presence';
import type { SharedDocument } from '../sync/shared-document';
import { Icon } from '../ui/icons';
import { type Key, KeyRow, kFaces } from '../ui/key-row';
import { kRefusalText, Notice } from '../ui/notice';
import { People } from '../ui/people';
import { SavedSign, signText } from '../ui/saved-sign';
import { useGuard } from '../ui/use-guard';
import { useViewportHeight } from '../ui/use-viewport-height';
import { GreyLines } from '../ui/grey-lines';

const kWords = new Intl.NumberFormat('en');

interface Opened {
  readonly shared: SharedDocument;
  readonly model: EditorModel;
  readonly close: () => void;
}

/** Nobody is here any more, though what was written may still be on its way. */
function leave(shared: SharedDocument, close: () => void): void {
  shared.awareness.setLocalState(null);
  closeWhenSent(shared, close);
}

function open(name: string): Opened {
  const { shared, close } = openDocument(name);
  const model = new EditorModel(shared);
  return {
    shared,
    model,
    close() {
      model.close();
      leave(shared, close);
    },
  };
}

/** A document, to be written in. */
export function EditorScreen() {
  const { params } = useRoute();
  const name = params.name ?? '';
  const [opened, setOpened] = useState<Opened | null>(null);
  useEffect(() => {
    const next = open(name);
    setOpened(next);
    return () => next.close();
  }, [name]);
  return opened && <Document key={opened.shared.doc.guid} opened={opened} />;
}

function Document({ opened: { shared, model } }: { opened: Opened }) {
  const editor = useRef<Editor | null>(null);
  const title = model.title.value || 'Untitled';
  const sign = model.sign.value;

  useGuard(sign.guard);
  useViewportHeight();
  useEffect(() => {
    document.title = `${title} · Palimpsest`;
  }, [title]);

  const goTo = (person: Person) => {
    const view = editor.current?.view;
    const caret = view?.state.field(remoteCarets).get(person.client);
    if (!view || !caret) return;
    view.dispatch({ effects: EditorView.scrollIntoView(caret.head, { y: 'center' }) });
  };
  const copy = () => void navigator.clipboard.writeText(shared.text.toString());

  return (
    <div class="ed">
      <header class="bar">
        <a class="btn ghost icon" href="/" aria-label="All documents">
          <Icon name="back" large />
        </a>
        <h1 class="title">{title}</h1>
        <SavedSign
          sign={sign}
          words={model.waitingWords.value}
          onRetry={() => shared.provider?.nudge()}
          onCopy={copy}
        />
        <span class="sp" />
        <People people={model.people.value} onGoTo={goTo} />
      </header>
      <div class="notices">
        <Notices shared={shared} model={model} onCopy={copy} />
      </div>
      <main class="pane">
        {model.isReadable.value ? (
          <Writing shared={shared} model={model} editor={editor} />
        ) : (
          <GreyLines />
        )}
      </main>
      <footer>
        <div class="foot">
          <span class="num">
            {kWords.format(model.words.value)} {model.words.value === 1 ? 'word' : 'words'}
          </span>
          <span>Markdown</span>
          <span class="sp" />
          <span>{model.writing.value}</span>
        </div>
        <Keys editor={editor} />
      </footer>
      <SaveKey text={() => signText(sign.kind, model.waitingWords.value)} />
    </div>
  );
}

function Writing({
  shared,
  model,
  editor,
}: {
  shared: SharedDocument;
  model: EditorModel;
  editor: { current: Editor | null };
}) {
  const parent = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!parent.current) return;
    const made = createEditor(parent.current, shared, model.editorChanged);
    editor.current = made;
    model.editorMade(made.view.state);
    if (matchMedia('(pointer: fine)').matches) made.view.focus();
    return () => {
      editor.current = null;
      made.close();
    };
  }, [shared, model, editor]);
  return <div class="writing" ref={parent} />;
}

function Notices({
  shared,
  model,
  onCopy,
}: {
  shared: SharedDocument;
  model: EditorModel;
  onCopy: () => void;
}) {
  const { route } = useLocation();
  const [isRead, setRead] = useState(false);
  const [error, setError] = useState('');
  const refusal = model.refusal.value;

  const keepAsNew = () => {
    setError('');
    copyToNewDocument(shared.text.toString())
      .then((name) => route(`/d/${encodeURIComponent(name)}`))
      .catch((reason: Error) => setError(`No new document could be made: ${reason.message}`));
  };
  const showCurrent = () => void shared.forgetLocalCopy().then(() => location.reload());

  if (refusal) {
    return (
      <Notice tone="danger" text={error || kRefusalText[refusal]}>
        <button class="btn" onClick={keepAsNew}>
          Keep mine as a new document
        </button>
        <button class="btn" onClick={onCopy}>
          Copy my text
        </button>
        {refusal === 'other-generation' && (
          <button class="btn" onClick={showCurrent}>
            Drop mine, show the current text
          </button>
        )}
      </Notice>
    );
  }
  if (!model.storeFailed.value || isRead) return null;
  const text =
    'This browser keeps no copy of its own (private window, or no room left). Your text is safe whenever the sign says Saved.';
  return (
    <Notice tone="warn" text={text}>
      <button class="btn" onClick={() => setRead(true)}>
        I see
      </button>
    </Notice>
  );
}

function Keys({ editor }: { editor: { current: Editor | null } }) {
  const keys = useMemo<Key[]>(() => {
    const key = (label: string, face: Key['face'], command: StateCommand): Key => ({
      label,
      face,
      run() {
        const view = editor.current?.view;
        if (!view) return;
        command(view);
        view.focus();
      },
    });
    const undo: StateCommand = () => editor.current?.undoManager.undo() !== null;
    return [
      key('Heading', kFaces.heading, cycleHeading),
      key('Strong', kFaces.strong, toggleStrong),
      key('Emphasis', kFaces.emphasis, toggleEmphasis),
      key('List', kFaces.list, toggleList),
      key('Task', kFaces.task, toggleTask),
      key('Link', kFaces.link, insertLink),
      key('Undo', kFaces.undo, undo),
    ];
  }, [editor]);
  return <KeyRow keys={keys} />;
}

/** Ctrl S says how the text stands, instead of saving the page as a file. */
function SaveKey({ text }: { text: () => string }) {
  const [said, setSaid] = useState('');
  const current = useRef(text);
  current.current = text;
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== 's' || !(event.ctrlKey || event.metaKey) || event.altKey) return;
      event.preventDefault();
      setSaid('');
      setTimeout(() => setSaid(current.current() || 'Saving…'), 50);
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);
  return (
    <div class="vh" aria-live="polite">
      {said}
    </div>
  );
}

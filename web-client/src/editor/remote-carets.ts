import {
  type Extension,
  type Range,
  StateEffect,
  StateField,
  type Transaction,
} from '@codemirror/state';
import {
  Decoration,
  type DecorationSet,
  type EditorView,
  ViewPlugin,
  type ViewUpdate,
  WidgetType,
} from '@codemirror/view';

/** Another person's place in the text, in offsets of this editor's document. */
export interface RemoteCaret {
  readonly client: number;
  readonly name: string;
  /** 1 to 12. */
  readonly colour: number;
  readonly anchor: number;
  readonly head: number;
  /** Until when the name stands at the caret, in ms since the epoch. */
  readonly loudUntil: number;
}

/** How long a name stands after its person typed or moved. */
export const kLoudMs = 2_500;
/** From this many carets on, names show on hover only. */
export const kCrowd = 12;

/** Puts, moves or removes carets. */
export const changeCarets = StateEffect.define<{
  readonly put: readonly RemoteCaret[];
  readonly remove: readonly number[];
}>();

/** Time has passed: names that have stood long enough go. */
const passTime = StateEffect.define<number>();

type Carets = ReadonlyMap<number, RemoteCaret>;

/** Moves carets along with a change. Text inserted at a caret goes before it. */
export function mapCarets(carets: Carets, transaction: Pick<Transaction, 'changes'>): Carets {
  if (carets.size === 0) return carets;
  const { changes } = transaction;
  return new Map(
    [...carets].map(([client, caret]) => {
      const anchor = changes.mapPos(caret.anchor, 1);
      const head = changes.mapPos(caret.head, 1);
      return [client, { ...caret, anchor, head }];
    }),
  );
}

function applyChange(carets: Carets, transaction: Transaction): Carets {
  let next = transaction.docChanged ? mapCarets(carets, transaction) : carets;
  for (const effect of transaction.effects) {
    if (!effect.is(changeCarets)) continue;
    const changed = new Map(next);
    for (const client of effect.value.remove) changed.delete(client);
    for (const caret of effect.value.put) changed.set(caret.client, caret);
    next = changed;
  }
  return next;
}

/** Everybody else's carets. */
export const remoteCarets = StateField.define<Carets>({
  create: () => new Map(),
  update: applyChange,
});

const loudNow = StateField.define<number>({
  create: () => Date.now(),
  update: (now, transaction) =>
    transaction.effects.reduce(
      (latest, effect) =>
        effect.is(passTime) ? effect.value : effect.is(changeCarets) ? Date.now() : latest,
      now,
    ),
});

class CaretWidget extends WidgetType {
  constructor(
    readonly caret: RemoteCaret,
    readonly isLoud: boolean,
  ) {
    super();
  }

  override eq(other: CaretWidget): boolean {
    const { caret, isLoud } = this;
    const same = caret.name === other.caret.name && caret.colour === other.caret.colour;
    return same && caret.client === other.caret.client && isLoud === other.isLoud;
  }

  override toDOM(): HTMLElement {
    const dom = document.createElement('span');
    dom.setAttribute('aria-hidden', 'true');
    dom.append(document.createElement('span'));
    this.show(dom);
    return dom;
  }

  override updateDOM(dom: HTMLElement): boolean {
    this.show(dom);
    return true;
  }

  private show(dom: HTMLElement): void {
    const below = dom.classList.contains('below');
    dom.className = `caret a${this.caret.colour}`;
    dom.classList.toggle('quiet', !this.isLoud);
    dom.classList.toggle('below', below);
    dom.dataset.client = String(this.caret.client);
    const label = dom.firstElementChild;
    if (label && label.textContent !== this.caret.name) label.textContent = this.caret.name;
  }

  override ignoreEvent(): boolean {
    return true;
  }
}

function decorate(view: EditorView): DecorationSet {
  const carets = view.state.field(remoteCarets);
  const now = view.state.field(loudNow);
  const { from, to } = view.viewport;
  const crowded = carets.size >= kCrowd;
  const length = view.state.doc.length;
  const ranges: Range<Decoration>[] = [];
  for (const caret of carets.values()) {
    const head = Math.min(caret.head, length);
    const start = Math.max(from, Math.min(caret.anchor, head));
    const end = Math.min(to, Math.max(caret.anchor, head), length);
    if (start < end) {
      ranges.push(
        Decoration.mark({ class: `remote-selection a${caret.colour}` }).range(start, end),
      );
    }
    if (head < from || head > to) continue;
    const isLoud = !crowded && caret.loudUntil > now;
    const side = caret.anchor < caret.head ? -1 : 1; // at the end of a selection, on its row
    ranges.push(Decoration.widget({ widget: new CaretWidget(caret, isLoud), side }).range(head));
  }
  return Decoration.set(ranges, true);
}

/** What is asked before a name goes above its caret. Numbers are pixels of the viewport. */
export interface LabelPlace {
  readonly caretTop: number;
  readonly caretBottom: number;
  /** Whether words of the line above reach over the place of the name. */
  readonly textAbove: boolean;
  readonly viewTop: number;
  /** The line that is being typed here; null when the text has no focus. */
  readonly ownTop: number | null;
}

const kLabelPx = 18;

/**
 * Whether a name goes below its caret: where there is no room above, or words stand there; but not
 * over the line that is being typed.
 */
export function isLabelBelow(place: LabelPlace): boolean {
  if (place.caretTop - place.viewTop < kLabelPx) return true;
  const { ownTop, caretTop, caretBottom } = place;
  const lineHeight = caretBottom - caretTop;
  if (ownTop !== null && Math.abs(ownTop - (caretTop + lineHeight * 1.4)) < lineHeight)
    return false;
  if (ownTop !== null && Math.abs(ownTop - (caretTop - lineHeight * 1.4)) < lineHeight) return true;
  return place.textAbove;
}

function isTextAbove(view: EditorView, head: number, left: number, top: number): boolean {
  const line = view.state.doc.lineAt(head);
  const first = view.coordsAtPos(line.from, 1);
  if (first && top - first.top > 4) return true; // a later row of a wrapped line
  if (line.number === 1) return false;
  const above = view.state.doc.line(line.number - 1);
  const end = above.length === 0 ? null : view.coordsAtPos(above.to, -1);
  return end !== null && end.right > left;
}

function placeOf(view: EditorView, head: number): LabelPlace | null {
  const caret = view.coordsAtPos(head, -1);
  if (!caret) return null;
  const own = view.hasFocus ? view.coordsAtPos(view.state.selection.main.head) : null;
  return {
    caretTop: caret.top,
    caretBottom: caret.bottom,
    textAbove: isTextAbove(view, head, caret.left, caret.top),
    viewTop: view.scrollDOM.getBoundingClientRect().top,
    ownTop: own?.top ?? null,
  };
}

class CaretsView {
  decorations: DecorationSet;
  private timer = 0;
  private readonly measure = {
    key: this,
    read: (view: EditorView) => this.readPlaces(view),
    write: (below: ReadonlyMap<string, boolean>, view: EditorView) => this.place(below, view),
  };

  constructor(private readonly view: EditorView) {
    this.decorations = decorate(view);
  }

  update(update: ViewUpdate): void {
    const carets = update.state.field(remoteCarets);
    const changed =
      update.startState.field(remoteCarets) !== carets ||
      update.startState.field(loudNow) !== update.state.field(loudNow);
    if (changed || update.docChanged || update.viewportChanged) {
      this.decorations = decorate(update.view);
      this.expireNames(carets);
    }
    const moved = update.docChanged || update.geometryChanged || update.selectionSet;
    if (carets.size > 0 && (changed || moved)) this.view.requestMeasure(this.measure);
  }

  destroy(): void {
    clearTimeout(this.timer);
  }

  /** Wakes up when the next name has stood long enough. */
  private expireNames(carets: Carets): void {
    clearTimeout(this.timer);
    const now = this.view.state.field(loudNow);
    const ends = [...carets.values()].map((caret) => caret.loudUntil).filter((end) => end > now);
    if (ends.length === 0) return;
    const wait = Math.max(0, Math.min(...ends) - Date.now()) + 10;
    const wake = () => {
      if (this.view.composing) this.timer = window.setTimeout(wake, 200);
      else this.view.dispatch({ effects: passTime.of(Date.now()) });
    };
    this.timer = window.setTimeout(wake, wait);
  }

  /** Where the names that stand now should go; the others wait until somebody points at them. */
  private readPlaces(view: EditorView): ReadonlyMap<string, boolean> {
    const below = new Map<string, boolean>();
    const { from, to } = view.viewport;
    const now = view.state.field(loudNow);
    const carets = view.state.field(remoteCarets);
    if (carets.size >= kCrowd) return below;
    for (const { client, head, loudUntil } of carets.values()) {
      if (loudUntil <= now || head < from || head > to) continue;
      const place = placeOf(view, head);
      if (place) below.set(String(client), isLabelBelow(place));
    }
    return below;
  }

  private place(below: ReadonlyMap<string, boolean>, view: EditorView): void {
    for (const dom of view.contentDOM.querySelectorAll<HTMLElement>('.caret')) {
      const isBelow = below.get(dom.dataset.client ?? '');
      if (isBelow !== undefined) dom.classList.toggle('below', isBelow);
    }
  }
}

/** Somebody points at a caret: its name appears, in a place that is free now. */
function placePointedAt(event: MouseEvent, view: EditorView): void {
  const dom = event.target instanceof Element ? event.target.closest<HTMLElement>('.caret') : null;
  const caret = dom && view.state.field(remoteCarets).get(Number(dom.dataset.client));
  const place = caret && placeOf(view, caret.head);
  if (place) dom.classList.toggle('below', isLabelBelow(place));
}

/** Shows the carets and selections of others, with their names. */
export const showRemoteCarets: Extension = [
  remoteCarets,
  loudNow,
  ViewPlugin.fromClass(CaretsView, {
    decorations: (plugin) => plugin.decorations,
    eventHandlers: { mouseover: placePointedAt },
  }),
];

import { effect, signal } from '@preact/signals';
import type { ViewUpdate } from '@codemirror/view';
import type * as Y from 'yjs';
import { me } from '../me';
import { chooseColour } from '../sync/colours';
import type { Refusal } from '../sync/close-codes';
import { claimsOf, distinct, peopleOf, type Person } from '../sync/presence';
import { isSameSign, type Sign, signExpiresIn, signOf } from '../sync/saved-state';
import type { SharedDocument } from '../sync/shared-document';
import { countWords } from '../sync/words';
import { firstName, listNames } from '../ui/avatar';
import { hexOf } from '../ui/author-colours';
import { sectionAt, titleOf } from './outline';
import { remoteCarets } from './remote-carets';

const kWritingMs = 5_000;
const kCountMs = 400;
const kColourMs = 1_500;

const rememberedKey = (name: string): string => `palimpsest.colour/${name}`;

function rememberedColour(name: string): number | null {
  try {
    return Number(localStorage.getItem(rememberedKey(name))) || null;
  } catch {
    return null;
  }
}

function rememberColour(name: string, colour: number): void {
  try {
    localStorage.setItem(rememberedKey(name), String(colour));
  } catch {
    // the next visit takes what is free
  }
}

/**
 * What the editor's screen shows around the text, as signals. It watches one shared document and
 * tells the others who we are.
 */
export class EditorModel {
  readonly sign = signal<Sign>({ kind: 'connecting', guard: false, busy: false });
  readonly waitingWords = signal(0);
  readonly refusal = signal<Refusal | null>(null);
  readonly storeFailed = signal(false);
  readonly isReadable = signal(false);
  /** Everybody here, ourselves too; one entry for each person. */
  readonly people = signal<readonly Person[]>([]);
  readonly title = signal('');
  readonly words = signal(0);
  /** "Ada is writing in “Still to do”"; empty when nobody else is. */
  readonly writing = signal('');

  private readonly stops: (() => void)[] = [];
  private readonly wroteAt = new Map<number, number>();
  private colour: number | null = null;
  private isIntroduced = false;
  private state: ViewUpdate['state'] | null = null;
  private signTimer = 0;
  private countTimer = 0;
  private writingTimer = 0;
  private colourTimer = 0;

  constructor(private readonly shared: SharedDocument) {
    const { awareness, doc } = shared;
    this.stops.push(shared.onChange(() => this.lookAtConnection()));
    awareness.on('change', this.onPeople);
    doc.on('afterTransaction', this.onTransaction);
    this.stops.push(
      () => awareness.off('change', this.onPeople),
      () => doc.off('afterTransaction', this.onTransaction),
      effect(() => {
        void me.value;
        if (this.isIntroduced) this.introduce();
      }),
    );
    this.lookAtConnection();
  }

  close(): void {
    for (const stop of this.stops) stop();
    for (const timer of [this.signTimer, this.countTimer, this.writingTimer, this.colourTimer]) {
      clearTimeout(timer);
    }
  }

  /** The editor has changed. */
  readonly editorChanged = (update: ViewUpdate): void => {
    this.state = update.state;
    if (update.docChanged) this.title.value = titleOf(update.state.doc);
    if (update.docChanged) this.planCount();
    const moved = update.startState.field(remoteCarets) !== update.state.field(remoteCarets);
    if (moved || update.docChanged) this.lookAtWriters();
  };

  /** The first look at an editor that has just been made. */
  editorMade(state: ViewUpdate['state']): void {
    this.state = state;
    this.title.value = titleOf(state.doc);
    this.words.value = countWords(state.doc.toString());
  }

  private lookAtConnection(): void {
    const { facts } = this.shared;
    const now = Date.now();
    const next = signOf(facts, now);
    if (!isSameSign(next, this.sign.peek())) this.sign.value = next;
    if (next.kind === 'offline') this.waitingWords.value = this.shared.waitingWords;
    this.refusal.value = this.shared.provider?.refusal ?? null;
    this.storeFailed.value = facts.localStore === 'failed';
    this.isReadable.value ||= this.shared.isReadable || this.isOffline(facts.localStore);
    clearTimeout(this.signTimer);
    const wait = signExpiresIn(facts, now);
    if (wait !== null) this.signTimer = window.setTimeout(() => this.lookAtConnection(), wait + 1);
    this.planColour(facts.localStore);
  }

  /** The server has been tried in vain, or not yet: a new text can be begun all the same. */
  private isOffline(store: string): boolean {
    return store !== 'opening' && this.colour !== null;
  }

  private planColour(store: string): void {
    if (this.isIntroduced) return;
    if (this.shared.provider?.isSynced) {
      // Who is here comes with the same batch as the text.
      clearTimeout(this.colourTimer);
      this.colourTimer = window.setTimeout(() => this.introduce(), 60);
    } else if (store !== 'opening' && this.colourTimer === 0) {
      this.colourTimer = window.setTimeout(() => this.introduce(), kColourMs);
    }
  }

  /** Tells the others who we are, in a colour that is free. */
  private introduce(): void {
    const { awareness, doc, name } = this.shared;
    this.isIntroduced = true;
    const { id } = me.peek();
    const claims = claimsOf(awareness.getStates()).filter(({ client }) => client !== doc.clientID);
    const own = { client: doc.clientID, person: id, colour: this.colour };
    this.colour = chooseColour(own, claims, rememberedColour(name));
    rememberColour(name, this.colour);
    const user = { ...me.peek(), color: hexOf(this.colour), colorIndex: this.colour };
    awareness.setLocalState({ ...awareness.getLocalState(), user });
    this.lookAtConnection();
  }

  private readonly onPeople = (): void => {
    const { awareness, doc } = this.shared;
    const people = peopleOf(awareness.getStates(), doc.clientID);
    const ownFirst = people.toSorted((a, b) => Number(b.isSelf) - Number(a.isSelf));
    this.people.value = distinct(ownFirst);
    if (this.isIntroduced && awareness.getLocalState()) this.yieldColour(people);
    this.lookAtWriters();
  };

  /** Two who came at once may show one colour; the later takes another. */
  private yieldColour(people: readonly Person[]): void {
    const claims = claimsOf(this.shared.awareness.getStates());
    const own = claims.find(({ client }) => client === this.shared.doc.clientID);
    if (!own || people.length < 2) return;
    const others = claims.filter((claim) => claim !== own);
    if (chooseColour(own, others, null) !== this.colour) this.introduce();
  }

  private readonly onTransaction = (transaction: Y.Transaction): void => {
    if (transaction.local) return;
    const now = Date.now();
    for (const [client, clock] of transaction.afterState) {
      const before = transaction.beforeState.get(client) ?? 0;
      if (clock > before && this.shared.awareness.getStates().has(client)) {
        this.wroteAt.set(client, now);
      }
    }
  };

  private lookAtWriters(): void {
    clearTimeout(this.writingTimer);
    const now = Date.now();
    for (const [client, at] of this.wroteAt)
      if (now - at >= kWritingMs) this.wroteAt.delete(client);
    const states = this.shared.awareness.getStates();
    const writers = peopleOf(states, this.shared.doc.clientID).filter(
      ({ client, isSelf }) => !isSelf && this.wroteAt.has(client),
    );
    this.writing.value = this.sentenceAbout(writers);
    if (writers.length === 0) return;
    const oldest = Math.min(...this.wroteAt.values());
    const wait = oldest + kWritingMs - now + 10;
    this.writingTimer = window.setTimeout(() => this.lookAtWriters(), wait);
  }

  private sentenceAbout(writers: readonly Person[]): string {
    const [first] = writers;
    if (!first) return '';
    const names = writers.map(({ name }) => firstName(name));
    if (writers.length > 1) return `${listNames(names)} are writing`;
    const caret = this.state?.field(remoteCarets).get(first.client);
    const section = this.state && caret ? sectionAt(this.state.doc, caret.head) : '';
    return section ? `${names[0]} is writing in “${section}”` : `${names[0]} is writing`;
  }

  private planCount(): void {
    if (this.countTimer !== 0) return;
    this.countTimer = window.setTimeout(() => {
      this.countTimer = 0;
      if (this.state) this.words.value = countWords(this.state.doc.toString());
    }, kCountMs);
  }
}

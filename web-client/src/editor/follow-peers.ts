import { type Extension } from '@codemirror/state';
import { type EditorView, ViewPlugin } from '@codemirror/view';
import * as Y from 'yjs';
import type { Awareness } from 'y-protocols/awareness';
import { type Person, peopleOf } from '../sync/presence';
import { resolveAll } from './positions';
import { changeCarets, kLoudMs, type RemoteCaret, remoteCarets } from './remote-carets';

interface Cursor {
  readonly anchor: Y.RelativePosition;
  readonly head: Y.RelativePosition;
}

function cursorOf(state: unknown): Cursor | null {
  const cursor: unknown = (state as { cursor?: unknown } | null)?.cursor;
  if (typeof cursor !== 'object' || cursor === null) return null;
  const { anchor, head } = cursor as { anchor?: unknown; head?: unknown };
  if (!anchor || !head) return null;
  try {
    return {
      anchor: Y.createRelativePositionFromJSON(anchor),
      head: Y.createRelativePositionFromJSON(head),
    };
  } catch {
    return null;
  }
}

const isSame = (a: Cursor | undefined, b: Cursor): boolean =>
  a !== undefined &&
  Y.compareRelativePositions(a.anchor, b.anchor) &&
  Y.compareRelativePositions(a.head, b.head);

/**
 * Turns awareness into carets of the editor. Only cursors that changed are looked up, all in one
 * walk; between two messages the editor moves them along with the text by itself.
 */
class PeerFollower {
  private readonly cursors = new Map<number, Cursor>();
  private readonly changed = new Set<number>();
  /** Cursors in text that has not come yet. */
  private readonly early = new Set<number>();
  private isPlanned = false;
  private isClosed = false;

  constructor(
    private readonly view: EditorView,
    private readonly text: Y.Text,
    private readonly awareness: Awareness,
  ) {
    awareness.on('change', this.onChange);
    text.doc?.on('afterTransaction', this.onTransaction);
    for (const client of awareness.getStates().keys()) this.changed.add(client);
    this.plan();
  }

  destroy(): void {
    this.isClosed = true;
    this.awareness.off('change', this.onChange);
    this.text.doc?.off('afterTransaction', this.onTransaction);
  }

  private readonly onChange = (change: {
    added: number[];
    updated: number[];
    removed: number[];
  }): void => {
    for (const list of [change.added, change.updated, change.removed]) {
      for (const client of list) this.changed.add(client);
    }
    this.plan();
  };

  private readonly onTransaction = (): void => {
    if (this.early.size === 0) return;
    for (const client of this.early) this.changed.add(client);
    this.plan();
  };

  /** After the running batch of messages, once; and never inside a composition. */
  private plan(): void {
    if (this.isPlanned) return;
    this.isPlanned = true;
    queueMicrotask(() => this.run());
  }

  private run(): void {
    if (this.isClosed) return;
    if (this.view.composing) {
      setTimeout(() => this.run(), 100);
      return;
    }
    this.isPlanned = false;
    const clients = [...this.changed].filter((client) => client !== this.text.doc?.clientID);
    this.changed.clear();
    const states = this.awareness.getStates();
    const people = new Map(peopleOf(states, -1).map((person) => [person.client, person]));
    const located = clients.flatMap((client) => {
      const cursor = cursorOf(states.get(client));
      return cursor ? [{ client, cursor }] : [];
    });
    const put = this.locate(located, people);
    const shown = this.view.state.field(remoteCarets);
    const kept = new Set(located.map(({ client }) => client));
    const remove = clients.filter((client) => !kept.has(client) && shown.has(client));
    for (const client of clients) if (!kept.has(client)) this.cursors.delete(client);
    if (put.length > 0 || remove.length > 0) {
      this.view.dispatch({ effects: changeCarets.of({ put, remove }) });
    }
  }

  private locate(
    located: readonly { client: number; cursor: Cursor }[],
    people: ReadonlyMap<number, Person>,
  ): RemoteCaret[] {
    const offsets = resolveAll(
      this.text,
      located.flatMap(({ cursor }) => [cursor.anchor, cursor.head]),
    );
    const length = this.view.state.doc.length;
    return located.flatMap(({ client, cursor }, index) => {
      const anchor = offsets[2 * index] ?? null;
      const head = offsets[2 * index + 1] ?? null;
      const person = people.get(client);
      if (anchor === null || head === null || !person) {
        this.early.add(client);
        return [];
      }
      this.early.delete(client);
      const { name, colour } = person;
      const at = { anchor: Math.min(anchor, length), head: Math.min(head, length) };
      return [{ client, name, colour, ...at, loudUntil: this.loudUntil(client, cursor) }];
    });
  }

  /** The name stands anew when the cursor moved, not when its person only said "still here". */
  private loudUntil(client: number, cursor: Cursor): number {
    const before = this.cursors.get(client);
    this.cursors.set(client, cursor);
    if (!isSame(before, cursor)) return Date.now() + kLoudMs;
    return this.view.state.field(remoteCarets).get(client)?.loudUntil ?? 0;
  }
}

/** Keeps the carets of others where awareness says they are. */
export const followPeers = (text: Y.Text, awareness: Awareness): Extension => [
  ViewPlugin.define((view) => new PeerFollower(view, text, awareness)),
];

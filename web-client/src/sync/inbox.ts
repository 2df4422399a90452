import * as Y from 'yjs';
import { applyAwarenessUpdate, type Awareness } from 'y-protocols/awareness';

/** Calls back at the next frame, or soon where no frames are drawn; answers the way to call off. */
export type NextFrame = (run: () => void, delayMs: number) => () => void;

/** What an inbox needs. */
export interface InboxParts {
  /** The transaction origin by which a remote change is recognised. */
  readonly origin: unknown;
  readonly nextFrame: NextFrame;
  readonly now: () => number;
  /** What came in was no update. */
  readonly broken: () => void;
}

/**
 * Remote changes on their way into the document. They are applied together, once per frame and in
 * one transaction, because the cost of a change on screen is per transaction; and never sooner than
 * four times the last batch's cost, so that local typing keeps most of the time.
 *
 * Awareness waits behind the text that came before it: a cursor may stand in that text.
 */
export class Inbox {
  private updates: Uint8Array[] = [];
  private awarenessUpdates: Uint8Array[] = [];
  private cancel: (() => void) | null = null;
  private restUntil = 0;

  constructor(
    private readonly doc: Y.Doc,
    private readonly awareness: Awareness,
    private readonly parts: InboxParts,
  ) {}

  addUpdate(update: Uint8Array): void {
    this.updates.push(update);
    this.schedule();
  }

  addAwareness(update: Uint8Array): void {
    this.awarenessUpdates.push(update);
    this.schedule();
  }

  private schedule(): void {
    const rest = Math.max(0, this.restUntil - this.parts.now());
    this.cancel ??= this.parts.nextFrame(() => this.flush(), rest);
  }

  /** Applies everything that has arrived. */
  flush(): void {
    this.cancel?.();
    this.cancel = null;
    const started = this.parts.now();
    try {
      this.apply();
    } catch {
      this.parts.broken();
    }
    const finished = this.parts.now();
    this.restUntil = finished + 4 * (finished - started);
  }

  private apply(): void {
    const { origin } = this.parts;
    const updates = this.updates.splice(0);
    const people = this.awarenessUpdates.splice(0);
    if (updates.length > 0) {
      const applyAll = () => updates.forEach((update) => Y.applyUpdate(this.doc, update, origin));
      Y.transact(this.doc, applyAll, origin, false);
    }
    for (const update of people) applyAwarenessUpdate(this.awareness, update, origin);
  }

  /** Drops what has not been applied. */
  close(): void {
    this.cancel?.();
    this.cancel = null;
    this.updates = [];
    this.awarenessUpdates = [];
  }
}

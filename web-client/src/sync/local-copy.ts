import { IndexeddbPersistence } from 'y-indexeddb';
import * as Y from 'yjs';
import type { OwnUpdate } from './own-work';
import type { WaitingStore } from './provider';
import { openWaiting, WaitingUpdates } from './waiting-updates';

const kOpenMs = 5_000;

const withinTime = <T>(promise: Promise<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('the local store does not answer')), kOpenMs);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });

/** What this device kept of a document. */
export interface LocalCopy {
  readonly waiting: WaitingStore;
  /** The origins of what was read from disk. */
  readonly origins: readonly unknown[];
  /** Changes of earlier visits that were never acknowledged. */
  readonly earlier: readonly OwnUpdate[];
  /** Which generation of the document the copy is of; null when it never met a server. */
  readonly generation: number | null;
  rememberGeneration(value: number): void;
  /** Removes the copy and everything that waits. */
  forget(): Promise<void>;
  close(): void;
}

async function read(name: string, doc: Y.Doc): Promise<LocalCopy> {
  const waiting = new WaitingUpdates(await openWaiting(), name);
  const copy = new IndexeddbPersistence(`palimpsest/${name}`, doc);
  await copy.whenSynced;
  const earlier = await waiting.load();
  // What waits is flushed to the disk at once, the copy only when the browser likes to.
  for (const { update } of earlier) Y.applyUpdate(doc, update, waiting);
  const generation: unknown = await copy.get('generation');
  return {
    waiting,
    origins: [copy, waiting],
    earlier,
    generation: typeof generation === 'number' ? generation : null,
    rememberGeneration: (value) => void copy.set('generation', value),
    async forget() {
      waiting.clear();
      await copy.clearData();
    },
    close() {
      waiting.close();
      void copy.destroy();
    },
  };
}

/**
 * Reads the local copy into `doc` and from then on writes every change to it. Rejects within five
 * seconds when this browser cannot keep one (private mode, no room, storage switched off).
 */
export async function openLocalCopy(name: string, doc: Y.Doc): Promise<LocalCopy> {
  const reading = read(name, doc);
  try {
    return await withinTime(reading);
  } catch (error) {
    reading.then((late) => late.close()).catch(() => {});
    throw error;
  }
}

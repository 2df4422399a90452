import { IndexeddbPersistence } from 'y-indexeddb';
import type * as Y from 'yjs';
import type { OwnUpdate } from './own-work';
import type { WaitingStore } from './provider';

const kOpenMs = 5_000;
const kDatabase = 'palimpsest-waiting';
const kStore = 'updates';

interface Row extends OwnUpdate {
  readonly document: string;
}

const done = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.addEventListener('success', () => resolve(request.result));
    request.addEventListener('error', () => reject(request.error));
  });

const finished = (transaction: IDBTransaction): Promise<void> =>
  new Promise((resolve, reject) => {
    transaction.addEventListener('complete', () => resolve());
    transaction.addEventListener('abort', () => reject(transaction.error));
  });

const withinTime = <T>(promise: Promise<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('the local store does not answer')), kOpenMs);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });

async function openWaiting(): Promise<IDBDatabase> {
  const opening = indexedDB.open(kDatabase, 1);
  opening.addEventListener('upgradeneeded', () => {
    const store = opening.result.createObjectStore(kStore, { autoIncrement: true });
    store.createIndex('document', 'document');
  });
  return done(opening);
}

/**
 * The unacknowledged changes of one document on this device, one by one and with their times. They
 * outlive the page, so that the next visit knows what waits and sends it as it was made.
 */
class WaitingUpdates implements WaitingStore {
  private keys: IDBValidKey[] = [];

  constructor(
    private readonly database: IDBDatabase,
    private readonly document: string,
  ) {}

  async load(): Promise<OwnUpdate[]> {
    const index = this.database.transaction(kStore).objectStore(kStore).index('document');
    const [keys, rows] = await Promise.all([
      done(index.getAllKeys(this.document)),
      done<Row[]>(index.getAll(this.document)),
    ]);
    this.keys = keys;
    return rows.map(({ update, at, offline }) => ({ update, at, offline }));
  }

  async add(own: OwnUpdate): Promise<void> {
    const transaction = this.database.transaction(kStore, 'readwrite', { durability: 'strict' });
    const row: Row = { ...own, document: this.document };
    const request = transaction.objectStore(kStore).add(row);
    request.addEventListener('success', () => this.keys.push(request.result));
    return finished(transaction);
  }

  clear(): void {
    const keys = this.keys.splice(0);
    if (keys.length === 0) return;
    const store = this.database.transaction(kStore, 'readwrite').objectStore(kStore);
    for (const key of keys) store.delete(key);
  }

  close(): void {
    this.database.close();
  }
}

/** What this device kept of a document. */
export interface LocalCopy {
  readonly waiting: WaitingStore;
  /** The origin of what was read from disk. */
  readonly origin: unknown;
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
  const generation: unknown = await copy.get('generation');
  return {
    waiting,
    origin: copy,
    earlier: await waiting.load(),
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

import type { OwnUpdate } from './own-work';
import type { WaitingStore } from './provider';

const kDatabase = 'palimpsest-waiting';
const kStore = 'updates';
const kIndex = 'document';

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

/** Opens this device's store of changes that wait, for all documents. */
export async function openWaiting(): Promise<IDBDatabase> {
  const opening = indexedDB.open(kDatabase, 1);
  opening.addEventListener('upgradeneeded', () => {
    const store = opening.result.createObjectStore(kStore, { autoIncrement: true });
    store.createIndex(kIndex, 'document');
  });
  return done(opening);
}

/** The names of the documents for which changes wait on this device. */
export async function documentsWithWork(): Promise<string[]> {
  const database = await openWaiting();
  const index = database.transaction(kStore).objectStore(kStore).index(kIndex);
  const names = new Set<string>();
  const request = index.openKeyCursor(null, 'nextunique');
  for (let cursor = await done(request); cursor; cursor = await done(request)) {
    names.add(String(cursor.key));
    cursor.continue();
  }
  database.close();
  return [...names];
}

/**
 * The unacknowledged changes of one document on this device, one by one and with their times. They
 * outlive the page, so that the next visit knows what waits and sends it as it was made.
 */
export class WaitingUpdates implements WaitingStore {
  /** The keys of our rows on the disk. */
  private keys: IDBValidKey[] = [];
  /** What the next write will take along: a flush costs more than what it flushes. */
  private batch: Row[] = [];
  private nextWrite: Promise<void> | null = null;
  private lastWrite = Promise.resolve();
  private writesUnderWay = 0;

  constructor(
    private readonly database: IDBDatabase,
    private readonly document: string,
  ) {}

  /** What earlier visits left. */
  async load(): Promise<OwnUpdate[]> {
    const index = this.database.transaction(kStore).objectStore(kStore).index(kIndex);
    const [keys, rows] = await Promise.all([
      done(index.getAllKeys(this.document)),
      done<Row[]>(index.getAll(this.document)),
    ]);
    this.keys = keys;
    return rows.map(({ update, at, offline }) => ({ update, at, offline }));
  }

  add(own: OwnUpdate): Promise<void> {
    this.batch.push({ ...own, document: this.document });
    const write = () => this.writeBatch();
    this.nextWrite ??= this.lastWrite.then(write, write);
    return this.nextWrite;
  }

  clear(): void {
    this.batch = [];
    if (this.keys.length === 0 && this.writesUnderWay === 0) return;
    const store = this.database.transaction(kStore, 'readwrite').objectStore(kStore);
    // It begins when the writes before it have ended, so that their keys are known.
    store.count().addEventListener('success', () => {
      for (const key of this.keys.splice(0)) store.delete(key);
    });
  }

  close(): void {
    void this.writeBatch().catch(() => {});
    this.database.close();
  }

  private writeBatch(): Promise<void> {
    this.nextWrite = null;
    const rows = this.batch.splice(0);
    if (rows.length === 0) return this.lastWrite;
    const transaction = this.database.transaction(kStore, 'readwrite', { durability: 'strict' });
    const store = transaction.objectStore(kStore);
    for (const row of rows) {
      const request = store.add(row);
      request.addEventListener('success', () => this.keys.push(request.result));
    }
    this.writesUnderWay += 1;
    this.lastWrite = finished(transaction).finally(() => (this.writesUnderWay -= 1));
    return this.lastWrite;
  }
}

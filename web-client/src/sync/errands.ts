import type { SharedDocument } from './shared-document';
import { documentsWithWork } from './waiting-updates';

/** Documents that stay open, unseen, only until their work has been sent. */
const errands = new Set<string>();

/** Nothing of ours is open, or the server will not have it. */
function isDone({ provider, facts }: SharedDocument): boolean {
  return provider !== null && (facts.oldestWorkAt === null || facts.link === 'stopped');
}

/** While words wait that this device could not keep, the browser asks before it leaves the page. */
function guard(shared: SharedDocument): () => void {
  const ask = (event: BeforeUnloadEvent) => {
    if (shared.facts.localStore === 'failed') event.preventDefault();
  };
  addEventListener('beforeunload', ask);
  return () => removeEventListener('beforeunload', ask);
}

/**
 * Leaves a document as soon as everything made here is on the server's disk: at once, as a rule.
 * Without a connection it stays open behind whatever the page shows next.
 */
export function closeWhenSent(shared: SharedDocument, close: () => void): void {
  if (isDone(shared)) return close();
  errands.add(shared.name);
  const unguard = guard(shared);
  const stop = shared.onChange(() => {
    if (!isDone(shared)) return;
    stop();
    unguard();
    errands.delete(shared.name);
    close();
  });
}

/**
 * Sends what earlier visits could not, for every document but the one on screen. The code for it
 * is loaded only when there is something to send.
 */
export async function sendWaiting(shown: string | null): Promise<void> {
  const names = await documentsWithWork();
  const unsent = names.filter((name) => name !== shown && !errands.has(name));
  if (unsent.length === 0) return;
  const { openDocument } = await import('./browser');
  for (const name of unsent) {
    const { shared, close } = openDocument(name);
    closeWhenSent(shared, close);
  }
}

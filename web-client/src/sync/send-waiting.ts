import type { SharedDocument } from './shared-document';
import { documentsWithWork } from './waiting-updates';

const kPatienceMs = 60_000;

/** Resolves when everything made on this device is on the server's disk, or will not be soon. */
function sent(shared: SharedDocument): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, kPatienceMs);
    const stop = shared.onChange(() => {
      const { link, oldestWorkAt } = shared.facts;
      if (link === 'stopped' || (link === 'up' && oldestWorkAt === null)) {
        clearTimeout(timer);
        stop();
        resolve();
      }
    });
  });
}

/**
 * Sends what an earlier visit could not, for every document but the one on screen. What it needs is
 * loaded only when there is something.
 */
export async function sendWaiting(shown: string | null): Promise<void> {
  const names = (await documentsWithWork()).filter((name) => name !== shown);
  if (names.length === 0) return;
  const { openDocument } = await import('./browser');
  for (const name of names) {
    const { shared, close } = openDocument(name);
    await sent(shared);
    close();
  }
}

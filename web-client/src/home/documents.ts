import { signal } from '@preact/signals';
import { type DocumentSummary, listDocuments } from '../api';

const kRefreshMs = 4_000;

/** The list as last heard; null before the first answer. */
export const documents = signal<readonly DocumentSummary[] | null>(null);
/** Why there is no newer list; empty when there is. */
export const problem = signal('');

async function refresh(): Promise<void> {
  try {
    documents.value = await listDocuments();
    problem.value = '';
  } catch (error) {
    problem.value = error instanceof Error ? error.message : String(error);
  }
}

/** Keeps the list fresh while the page is seen; answers the way to stop. */
export function keepFresh(): () => void {
  let timer = 0;
  let isStopped = false;
  const next = async () => {
    clearTimeout(timer);
    if (document.visibilityState === 'visible') await refresh();
    clearTimeout(timer);
    if (!isStopped) timer = window.setTimeout(() => void next(), kRefreshMs);
  };
  const now = () => void next();
  void next();
  addEventListener('focus', now);
  addEventListener('online', now);
  document.addEventListener('visibilitychange', now);
  return () => {
    isStopped = true;
    clearTimeout(timer);
    removeEventListener('focus', now);
    removeEventListener('online', now);
    document.removeEventListener('visibilitychange', now);
  };
}

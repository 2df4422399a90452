import { createDocument } from '../api';
import { openDocument } from '../sync/browser';
import type { SharedDocument } from '../sync/shared-document';

const kPatienceMs = 10_000;

/** Resolves when `isTrue` of the document, or after a while all the same. */
function until(shared: SharedDocument, isTrue: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const finish = () => {
      clearTimeout(timer);
      stop();
      resolve();
    };
    const timer = setTimeout(finish, kPatienceMs);
    const stop = shared.onChange(() => isTrue() && finish());
    if (isTrue()) finish();
  });
}

/**
 * Puts a text into a document of its own and answers its name. When the server cannot take the
 * words now, they wait on this device as anything written offline does.
 */
export async function copyToNewDocument(text: string): Promise<string> {
  const name = await createDocument();
  const { shared, close } = openDocument(name);
  await until(shared, () => shared.provider !== null);
  shared.text.insert(0, text);
  await until(shared, () => {
    const { link, oldestWorkAt } = shared.facts;
    return link === 'up' && oldestWorkAt === null;
  });
  close();
  return name;
}

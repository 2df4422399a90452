import { createDocument } from '../api';
import { openDocument } from '../sync/browser';
import { closeWhenSent } from '../sync/errands';

/**
 * Puts a text into a document of its own and answers its name. When the server cannot take the
 * words now, they wait on this device as anything written offline does.
 */
export async function copyToNewDocument(text: string): Promise<string> {
  const name = await createDocument();
  const { shared, close } = openDocument(name);
  await shared.started;
  shared.text.insert(0, text);
  closeWhenSent(shared, close);
  return name;
}

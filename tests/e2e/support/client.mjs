import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { WebsocketProvider } from 'y-websocket';
import * as Y from 'yjs';

const kPatienceMs = 30_000;
const open = new Set();

process.setMaxListeners(0); // every provider wants to hear that the process ends

/** A client of another program: the stock provider, without a browser. */
export function stockClient(server, name) {
  const doc = new Y.Doc();
  const provider = new WebsocketProvider(server.socketUrl, name, doc, {
    WebSocketPolyfill: WebSocket,
    disableBc: true,
  });
  open.add(provider);
  return { doc, provider, text: doc.getText('content'), close: () => end(provider) };
}

function end(provider) {
  open.delete(provider);
  provider.destroy();
  provider.doc.destroy();
}

/** Ends the clients that a test has left behind. */
export function closeClients() {
  for (const provider of open) end(provider);
}

/** Resolves when the client has what the server has. */
export async function synced({ provider }) {
  const deadline = Date.now() + kPatienceMs;
  while (!provider.synced) {
    if (Date.now() > deadline) throw new Error(`${provider.url} does not answer`);
    await sleep(10);
  }
}

/** What a server has of a document's text. */
export async function readText(server, name) {
  const client = stockClient(server, name);
  await synced(client);
  const text = client.text.toString();
  client.close();
  return text;
}

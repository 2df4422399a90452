import { wallClock } from './clock';
import type { Socket } from './link';
import { openLocalCopy } from './local-copy';
import { SharedDocument, type Surroundings } from './shared-document';
import type { Channel } from './tabs';

const kHiddenFrameMs = 100;

/** Where the server takes documents: one path per name, in which a slash stays a slash. */
function address(name: string, generation: number | null): string {
  const path = encodeURIComponent(name).replaceAll('%2F', '/');
  const url = new URL(`/sync/${path}`, location.href);
  url.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
  url.searchParams.set('ack', '1');
  if (generation !== null) url.searchParams.set('generation', String(generation));
  return url.href;
}

function connect(name: string, generation: number | null): Socket {
  const web = new WebSocket(address(name, generation));
  web.binaryType = 'arraybuffer';
  const socket: Socket = {
    get bufferedAmount() {
      return web.bufferedAmount;
    },
    send: (bytes) => {
      if (web.readyState === WebSocket.OPEN) web.send(bytes as Uint8Array<ArrayBuffer>);
    },
    close: () => web.close(),
    onopen: null,
    onmessage: null,
    onclose: null,
  };
  web.addEventListener('open', () => socket.onopen?.());
  web.addEventListener('message', (event: MessageEvent<unknown>) => {
    if (event.data instanceof ArrayBuffer) socket.onmessage?.(new Uint8Array(event.data));
  });
  web.addEventListener('close', (event) => socket.onclose?.(event.code, event.reason));
  return socket;
}

function openChannel(name: string): Channel {
  const broadcast = new BroadcastChannel(`palimpsest/${name}`);
  const channel: Channel = {
    post: (bytes) => broadcast.postMessage(bytes),
    close: () => broadcast.close(),
    onmessage: null,
  };
  broadcast.addEventListener('message', (event: MessageEvent<unknown>) => {
    if (event.data instanceof Uint8Array) channel.onmessage?.(event.data);
  });
  return channel;
}

/** The next animation frame; a hidden page has none, so a timer runs beside it. */
function nextFrame(run: () => void, delayMs: number): () => void {
  let frame = 0;
  let timer = 0;
  const cancel = () => {
    cancelAnimationFrame(frame);
    clearTimeout(timer);
  };
  const fire = () => {
    cancel();
    run();
  };
  const wait = () => {
    frame = requestAnimationFrame(fire);
    timer = window.setTimeout(fire, kHiddenFrameMs);
  };
  if (delayMs > 0) timer = window.setTimeout(wait, delayMs);
  else wait();
  return cancel;
}

const surroundings: Surroundings = {
  clock: wallClock,
  random: Math.random,
  nextFrame,
  connect,
  channel: openChannel,
  openLocalCopy,
};

/** Signs that the network or the person is back, or gone, are reasons to look at the connection. */
function watchPage(document_: SharedDocument): () => void {
  const look = () => document_.provider?.nudge();
  const lookIfVisible = () => document.visibilityState === 'visible' && look();
  let last: ReturnType<SharedDocument['awareness']['getLocalState']> = null;
  const leave = () => {
    last = document_.awareness.getLocalState();
    document_.provider?.sayGoodbye();
  };
  const comeBack = (event: PageTransitionEvent) => {
    if (!event.persisted) return;
    document_.awareness.setLocalState(last);
    look();
  };
  addEventListener('online', look);
  addEventListener('offline', look);
  addEventListener('pagehide', leave);
  addEventListener('pageshow', comeBack);
  document.addEventListener('visibilitychange', lookIfVisible);
  return () => {
    removeEventListener('online', look);
    removeEventListener('offline', look);
    removeEventListener('pagehide', leave);
    removeEventListener('pageshow', comeBack);
    document.removeEventListener('visibilitychange', lookIfVisible);
  };
}

/** Opens a document in this page; answers it and the way to leave it. */
export function openDocument(name: string): { shared: SharedDocument; close: () => void } {
  const shared = new SharedDocument(name, surroundings);
  const unwatch = watchPage(shared);
  return {
    shared,
    close() {
      unwatch();
      shared.close();
    },
  };
}

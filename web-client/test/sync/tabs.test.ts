import { expect, test } from 'vitest';
import * as Y from 'yjs';
import { Awareness } from 'y-protocols/awareness';
import { type Channel, Tabs } from '../../src/sync/tabs';

/** A browser: channels that reach each other. */
class Browser {
  private readonly channels: Channel[] = [];

  channel(): Channel {
    const channel: Channel = {
      post: (bytes) => {
        for (const other of this.channels) if (other !== channel) other.onmessage?.(bytes);
      },
      close: () => void this.channels.splice(this.channels.indexOf(channel), 1),
      onmessage: null,
    };
    this.channels.push(channel);
    return channel;
  }
}

function openTab(browser: Browser) {
  const doc = new Y.Doc();
  const awareness = new Awareness(doc);
  const orphans: Uint8Array[] = [];
  const peers: number[] = [];
  const tabs = new Tabs(doc, awareness, browser.channel(), {
    orphan: (update) => orphans.push(update),
    peer: (client) => peers.push(client),
  });
  return { doc, awareness, text: doc.getText('content'), tabs, orphans, peers };
}

test('two tabs show one text without a server', () => {
  const browser = new Browser();
  const a = openTab(browser);
  a.text.insert(0, 'from the first tab');
  const b = openTab(browser);
  b.text.insert(0, 'from the second tab, ');
  b.tabs.hello();
  expect(b.text.toString()).toBe(a.text.toString());
  a.text.insert(0, 'x');
  b.text.insert(0, 'y');
  expect(b.text.toString()).toBe(a.text.toString());
  expect(a.text.length).toBe(41);
});

test('tabs know each other, and that they are neighbours', () => {
  const browser = new Browser();
  const a = openTab(browser);
  const b = openTab(browser);
  b.tabs.hello();
  a.awareness.setLocalState({ user: { name: 'Ada' } });
  expect(b.awareness.getStates().get(a.doc.clientID)).toEqual({ user: { name: 'Ada' } });
  expect(b.peers).toContain(a.doc.clientID);
});

test('a change that its own tab cannot send is offered to the others', () => {
  const browser = new Browser();
  const a = openTab(browser);
  const b = openTab(browser);
  a.doc.on('update', (update: Uint8Array) => a.tabs.postOrphans([update]));
  a.text.insert(0, 'offline here');
  expect(b.text.toString()).toBe('offline here');
  expect(b.orphans).toHaveLength(1);
});

test('what came from another tab is not posted again', () => {
  const browser = new Browser();
  const a = openTab(browser);
  const b = openTab(browser);
  let posted = 0;
  const spy = browser.channel();
  spy.onmessage = () => {
    posted += 1;
  };
  a.text.insert(0, 'once');
  expect(posted).toBe(1);
  expect(b.text.toString()).toBe('once');
});

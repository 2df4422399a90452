import { describe, expect, test } from 'vitest';
import * as Y from 'yjs';
import { FakeClock } from '../support/fake-clock';
import { connectedPage, FakeDisk, FakePage } from '../support/fake-page';
import { FakeServer } from '../support/fake-server';

describe('a provider that is connected', () => {
  test('brings both sides together', () => {
    const page = new FakePage();
    const server = new FakeServer();
    page.type('from here');
    server.doc.getText('content').insert(0, 'from there, ');
    page.provider.start([]);
    page.settle(server);
    expect(page.text.toString()).toBe(server.text);
    expect(server.text).toContain('from here');
    expect(server.text).toContain('from there');
  });

  test('sends every change at once and is saved when the server says so', () => {
    const { page, server, clock } = connectedPage();
    server.isDurable = false;
    page.type('a');
    expect(server.text).toBe('a');
    expect(page.sign).toBe('fading');
    clock.advance(1_000);
    expect(page.sign).toBe('saving');
    server.commit();
    clock.advance(1_000);
    expect(page.sign).toBe('saved');
  });

  test('is not saved before the step 2 of its handshake is acknowledged', () => {
    const page = new FakePage();
    const server = new FakeServer();
    server.isDurable = false;
    page.type('written before');
    page.provider.start([]);
    page.settle(server);
    expect(page.sign).toBe('saving');
    server.commit();
    page.clock.advance(1_000);
    expect(page.sign).toBe('saved');
  });

  test('applies what arrives within a frame as one transaction of its own origin', () => {
    const { page, server, clock } = connectedPage();
    const origins: unknown[] = [];
    page.doc.on('afterTransaction', (transaction) =>
      origins.push(transaction.origin, transaction.local),
    );
    for (const letter of 'abc') server.type(letter);
    clock.advance(20);
    expect(page.text.toString()).toBe('cba');
    expect(origins).toEqual([page.provider, false]);
  });

  test('sends back nothing of what it received', () => {
    const { page, server, clock } = connectedPage();
    const before = page.socket.sent.length;
    server.type('theirs');
    clock.advance(100);
    expect(page.socket.sent).toHaveLength(before);
  });

  test('with a server that acknowledges nothing never says saved', () => {
    const page = new FakePage();
    const server = new FakeServer();
    server.acknowledges = false;
    page.provider.start([]);
    page.settle(server);
    page.type('x');
    page.clock.advance(60_000);
    expect(server.text).toBe('x');
    expect(page.sign).not.toBe('saved');
    expect(page.provider.work.isEmpty).toBe(true);
  });

  test('tells at most ten cursors a second', () => {
    const { page, clock } = connectedPage();
    const before = page.socket.sent.length;
    page.awareness.setLocalState({ cursor: 0 });
    for (let step = 1; step <= 100; step += 1) {
      clock.advance(10);
      page.awareness.setLocalStateField('cursor', step);
    }
    expect(page.socket.sent.length - before).toBeLessThanOrEqual(11);
    clock.advance(100);
    expect(page.awareness.getLocalState()).toEqual({ cursor: 100 });
  });
});

describe('a provider whose connection is gone', () => {
  test('comes back by itself and sends what was never acknowledged', () => {
    const { page, server, clock } = connectedPage();
    server.isDurable = false;
    page.type('lost on the way ');
    page.socket.end();
    page.type('typed offline');
    expect(page.sign).toBe('offline');
    clock.advance(500);
    expect(page.sockets).toHaveLength(2);

    const other = new FakeServer(); // it forgot everything that was not on disk
    page.settle(other);
    expect(other.text).toBe('lost on the way typed offline');
    expect(page.sign).toBe('saved');
    expect(page.disk.rows).toHaveLength(0);
  });

  test('hands over offline changes one by one with their ages', () => {
    const { page, server, clock } = connectedPage();
    page.socket.end();
    for (const letter of 'abc') {
      page.type(letter);
      clock.advance(100);
    }
    while (page.sockets.length < 2) clock.advance(100);
    server.accept(page.socket);
    const ages = server.past.map(({ ageMs }) => ageMs);
    expect(ages).toHaveLength(3);
    expect(ages[0]).toBe((ages[1] ?? 0) + 100);
    expect(ages[1]).toBe((ages[2] ?? 0) + 100);
    expect(server.text).toBe('abc');
  });

  test('gives offline changes as they are to a server that knows no ages', () => {
    const { page, server, clock } = connectedPage();
    page.socket.end();
    page.type('offline');
    clock.advance(500);
    server.acknowledges = false;
    page.settle(server);
    expect(server.past).toHaveLength(0);
    expect(server.text).toBe('offline');
  });

  test('keeps offline changes for the next visit, which sends them with their times', async () => {
    const clock = new FakeClock();
    const disk = new FakeDisk();
    const first = new FakePage(clock, disk);
    first.provider.start([]);
    first.type('kept ');
    first.type('words');
    first.provider.close();
    await Promise.resolve();

    const second = new FakePage(clock, disk);
    second.provider.addForeignOrigin('local copy');
    Y.applyUpdate(second.doc, Y.encodeStateAsUpdate(first.doc), 'local copy');
    second.provider.start([...disk.rows]);
    expect(second.sign).toBe('offline');
    clock.advance(5_000);
    const server = new FakeServer();
    second.settle(server);
    expect(server.text).toBe('kept words');
    expect(server.past).toHaveLength(2);
    expect(second.sign).toBe('saved');
    expect(disk.rows).toHaveLength(0);
  });

  test('says not saved when this browser cannot keep the words either', async () => {
    const { page } = connectedPage();
    page.disk.isBroken = true;
    page.socket.end();
    page.type('nowhere');
    await Promise.resolve();
    await Promise.resolve();
    expect(page.sign).toBe('not-saved');
  });

  test('waits longer after each vain attempt, and starts over after ten healthy seconds', () => {
    const { page, server, clock } = connectedPage();
    const attemptsWithin = (ms: number): number => {
      const before = page.sockets.length;
      for (let passed = 0; passed < ms; passed += 50) {
        clock.advance(50);
        if (!page.socket.isClosed) page.socket.end();
      }
      return page.sockets.length - before;
    };
    page.socket.end();
    const early = attemptsWithin(10_000);
    const late = attemptsWithin(10_000);
    expect(early).toBeGreaterThan(late);

    page.provider.nudge();
    server.accept(page.socket);
    clock.advance(11_000);
    page.socket.end();
    const before = page.sockets.length;
    clock.advance(250);
    expect(page.sockets.length).toBe(before + 1);
  });

  test('tries at once when the network or the person is back', () => {
    const page = new FakePage(new FakeClock(), new FakeDisk(), { random: 1 });
    page.provider.start([]);
    for (let attempt = 0; attempt < 8; attempt += 1) {
      page.socket.end();
      page.clock.advance(30_000);
    }
    page.socket.end();
    const before = page.sockets.length;
    page.provider.nudge();
    expect(page.sockets).toHaveLength(before + 1);
  });

  test('forgets who was there, but for the other tabs of this browser', () => {
    const { page } = connectedPage();
    for (const client of [7, 8]) {
      page.awareness.states.set(client, { user: {} });
      page.awareness.meta.set(client, { clock: 1, lastUpdated: 0 });
    }
    page.provider.keepPeer(8);
    page.socket.end();
    expect([...page.awareness.getStates().keys()]).toEqual([8]);
  });

  test('asks connected tabs to pass on what it could not send', () => {
    const { page, server } = connectedPage();
    server.isDurable = false;
    page.type('in flight');
    page.socket.end();
    page.type('offline');
    const elsewhere = new Y.Doc();
    for (const update of page.orphans) Y.applyUpdate(elsewhere, update);
    expect(elsewhere.getText('content').toString()).toBe('in flightoffline');
  });
});

describe('a link that looks alive', () => {
  test('is given up after eight seconds without the acknowledgement that is owed', () => {
    const { page, server, clock } = connectedPage();
    server.isDurable = false;
    page.type('swallowed');
    clock.advance(7_000);
    expect(page.socket.isClosed).toBe(false);
    clock.advance(2_000);
    expect(page.sockets[0]?.isClosed).toBe(true);
    expect(page.sign).toBe('offline');
  });

  test('is kept while our own words still leave this computer', () => {
    const { page, server, clock } = connectedPage();
    server.isDurable = false;
    page.type('a great deal');
    for (let left = 40; left > 0; left -= 1) {
      page.socket.bufferedAmount = left * 1000;
      clock.advance(500);
    }
    expect(page.socket.isClosed).toBe(false);
  });

  test('is given up after thirty silent seconds', () => {
    const { page, clock } = connectedPage();
    clock.advance(28_000);
    expect(page.socket.isClosed).toBe(false);
    clock.advance(3_000);
    expect(page.sockets[0]?.isClosed).toBe(true);
  });

  test('is given up three seconds after a question that nobody answers', () => {
    const { page, clock } = connectedPage();
    page.socket.onsent = () => {};
    page.provider.nudge();
    clock.advance(4_000);
    expect(page.sockets[0]?.isClosed).toBe(true);
  });

  test('is not up before the server has answered, whatever it says by itself', () => {
    const { page, server, clock } = connectedPage();
    page.socket.end();
    page.type('waiting');
    clock.advance(500);
    page.socket.onopen?.();
    server.acknowledges = true;
    for (const bytes of [new Uint8Array([8, 0, 1]), new Uint8Array([0, 0, 1, 0])]) {
      page.socket.onmessage?.(bytes);
    }
    clock.advance(3_000);
    expect(page.sign).toBe('offline');
    expect(page.socket.sent.length).toBeGreaterThan(1);
  });

  test('is kept when the question is answered', () => {
    const { page, clock } = connectedPage();
    page.provider.nudge();
    clock.advance(4_000);
    expect(page.socket.isClosed).toBe(false);
  });
});

test('work is being stored until the disk says so, or fails', async () => {
  for (const isBroken of [false, true]) {
    const { page, clock } = connectedPage();
    page.disk.isBroken = isBroken;
    page.socket.end();
    const since = clock.now();
    page.type('one');
    clock.advance(100);
    page.type('two');
    expect(page.provider.storingSince).toBe(since);
    await Promise.resolve();
    await Promise.resolve();
    expect(page.provider.storingSince).toBeNull();
    expect(page.storeFailed).toBe(isBroken);
  }
});

describe('a server that refuses', () => {
  test('another generation stops the provider before anything is merged, and the text stays', () => {
    const page = new FakePage(new FakeClock(), new FakeDisk(), { generation: 3 });
    page.type('my copy');
    page.provider.start([]);
    expect(page.socket.generation).toBe(3);
    page.socket.onopen?.();
    page.socket.end(4409, 'generation_changed');
    page.clock.advance(120_000);
    expect(page.provider.refusal).toBe('other-generation');
    expect(page.sockets).toHaveLength(1);
    expect(page.text.toString()).toBe('my copy');
    expect(page.sign).toBe('stopped');
  });

  test('a full document stops it, and later changes are kept on this device', async () => {
    const { page, clock } = connectedPage();
    page.socket.end(4413, 'document_full');
    page.type('too much');
    await Promise.resolve();
    clock.advance(60_000);
    expect(page.sockets).toHaveLength(1);
    expect(page.disk.rows).toHaveLength(1);
  });

  test('storage that is away is asked again after the time it named', () => {
    const { page, clock } = connectedPage();
    page.socket.end(4503, 'storage_unavailable; retry=20');
    clock.advance(19_900);
    expect(page.sockets).toHaveLength(1);
    clock.advance(4_200);
    expect(page.sockets).toHaveLength(2);
  });

  test('the generation it announces is remembered and asked for next time', () => {
    const { page, clock } = connectedPage();
    expect(page.generations).toEqual([1]);
    page.socket.end();
    clock.advance(500);
    expect(page.socket.generation).toBe(1);
  });

  test('bytes that are no message end the connection, not the page', () => {
    const { page, clock } = connectedPage();
    page.socket.onmessage?.(new Uint8Array([0, 2, 200, 1]));
    expect(page.sockets[0]?.isClosed).toBe(true);
    clock.advance(500);
    expect(page.sockets).toHaveLength(2);
  });
});

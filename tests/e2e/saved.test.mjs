import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { assertNoProblems, closeEverybody, Editor, launch, person } from './support/browser.mjs';
import { closeClients, readText } from './support/client.mjs';
import { Server } from './support/server.mjs';

let browser;
let server;

before(async () => {
  browser = await launch();
});

after(async () => {
  closeClients();
  await browser?.close();
});

beforeEach(async () => {
  server = await Server.start();
});

afterEach(async () => {
  await closeEverybody(browser);
  await server?.remove();
});

/** Runs in the page: a browser that keeps nothing. */
function breakStore() {
  Object.defineProperty(window, 'indexedDB', {
    value: {
      open() {
        throw new Error('no store here');
      },
    },
  });
}

const count = (text, word) => text.split(word).length - 1;

describe('a browser that is offline', () => {
  test('keeps what is typed, says so at every step, and brings it all once', async () => {
    const ada = await Editor.open(await person(browser, 'Ada'), server, 'offline');
    const context = await person(browser, 'Chen');
    const chen = await Editor.open(context, server, 'offline');
    await chen.watchSaved();
    await ada.type('Ada was first. ');
    await chen.waitForText((text) => text.includes('first.'));

    await server.stop();
    await context.setOffline(true);
    await chen.waitForSign('reconnecting');
    await chen.type('Chen types five words offline. ');
    await chen.waitForSign('offline');
    await chen.page.getByText('Offline. 5 words waiting to be sent').waitFor();

    await server.run();
    await ada.waitForSign('saved');
    await ada.type('Ada goes on. ');
    await ada.waitForSign('saved');
    assert.equal(await chen.sign.getAttribute('data-sign'), 'offline');

    await context.setOffline(false);
    await chen.waitForSign('saved');
    const text = await chen.waitForText((now) => now.includes('goes on.'));
    assert.equal(await ada.waitForText((now) => now === text), text);
    for (const words of ['Ada was first. ', 'Chen types five words offline. ', 'Ada goes on. ']) {
      assert.equal(count(text, words), 1, words);
    }
    assert.equal(await readText(server, 'offline'), text);
    const signs = await chen.signsSeen();
    assert.equal(signs.filter((sign) => sign === 'not-saved').length, 0);
    for (const saved of await chen.savedTexts()) {
      assert.ok(
        !saved.includes('offline') || saved.includes('goes on.'),
        'saved was said too early',
      );
    }
    assertNoProblems(context);
  });

  test('keeps what is typed when the page is closed, and sends it at the next visit', async () => {
    const context = await person(browser, 'Chen');
    const chen = await Editor.open(context, server, 'closed');
    await chen.type('Online words. ');
    await chen.waitForSign('saved');
    await server.stop();
    await chen.waitForSign('reconnecting');
    await chen.type('Offline words. ');
    await chen.waitForSign('offline');

    const asked = chen.page.waitForEvent('dialog');
    const closed = chen.page.close({ runBeforeUnload: true });
    const dialog = await asked;
    assert.equal(dialog.type(), 'beforeunload', 'leaving is asked about while words wait');
    await dialog.accept();
    await closed;

    await server.run();
    const again = await Editor.open(context, server, 'closed');
    const text = await again.waitForText((now) => now.includes('Offline'));
    assert.equal(text, 'Online words. Offline words. ');
    assert.equal(await readText(server, 'closed'), text);
    assertNoProblems(context);
  });

  test('sends what waits from whatever page is opened next', async () => {
    const context = await person(browser, 'Chen');
    const chen = await Editor.open(context, server, 'elsewhere');
    await server.stop();
    await chen.waitForSign('reconnecting');
    await chen.type('Written offline, sent from the list.');
    await chen.waitForSign('offline');
    await chen.page.close();
    await server.run();
    const page = await context.newPage();
    await page.goto(server.url);
    await page.getByRole('link', { name: /Written offline, sent from the list/ }).waitFor();
    assert.equal(await readText(server, 'elsewhere'), 'Written offline, sent from the list.');
    assertNoProblems(context);
  });

  test('comes back at a click', async () => {
    const context = await person(browser, 'Chen');
    await context.addInitScript(() => {
      Math.random = () => 0.999; // every wait is as long as it may be
    });
    const chen = await Editor.open(context, server, 'click');
    await server.kill();
    await chen.type('words');
    await chen.waitForSign('offline');
    await chen.page.waitForTimeout(8_500); // the next attempt is seven seconds away
    await server.run();
    const clicked = Date.now();
    await chen.page.getByTitle('Try to connect now').click();
    await chen.waitForSign('saved');
    assert.ok(Date.now() - clicked < 5_000);
    assert.equal(await readText(server, 'click'), 'words');
    assertNoProblems(context);
  });

  test('without a local store says that nothing is saved', async () => {
    const context = await person(browser, 'Chen');
    await context.addInitScript(breakStore);
    const chen = await Editor.open(context, server, 'no-store');
    await chen.page.getByText('This browser keeps no copy of its own').waitFor();
    await chen.type('online ');
    await chen.waitForSign('saved');
    await server.kill();
    await chen.type('offline');
    await chen.waitForSign('not-saved');
    await server.run();
    await chen.waitForSign('saved');
    assert.equal(await readText(server, 'no-store'), 'online offline');
    assertNoProblems(context);
  });

  test('loses nothing when the editor is left for the list', async () => {
    const context = await person(browser, 'Chen');
    await context.addInitScript(breakStore);
    const page = await context.newPage();
    await page.goto(server.url);
    await page.getByRole('button', { name: 'New document' }).click();
    const chen = new Editor(page);
    await chen.waitForSign('saved');
    const name = new URL(page.url()).pathname.split('/').at(-1);
    await server.stop();
    await chen.type('Left behind');
    await chen.waitForSign('not-saved');
    await page.getByRole('link', { name: 'All documents' }).click();
    await page.getByRole('heading', { name: 'Recent' }).waitFor();
    await server.run();
    await page.getByRole('link', { name: /Left behind/ }).waitFor();
    assert.equal(await readText(server, name), 'Left behind');
    assertNoProblems(context);
  });
});

describe('a server that is killed while somebody types', () => {
  test('has every word that was ever under Saved; the rest comes from the browser', async () => {
    const context = await person(browser, 'Ada');
    const ada = await Editor.open(context, server, 'killed');
    await ada.watchSaved();
    let typed = '';
    for (let round = 0; round < 3; round += 1) {
      const words = Array.from({ length: 12 }, (_, index) => `r${round}w${index} `);
      const half = words.splice(0, 6).join('');
      await ada.type(half, { delay: 2 });
      await ada.waitForSign('saved');
      const typing = ada.page.keyboard.type(words.join(''), { delay: 8 });
      await ada.page.waitForTimeout(60 + 90 * round);
      await server.kill();
      await typing;
      typed += half + words.join('');

      const hidden = await server.elsewhere();
      const onDisk = await readText(hidden, 'killed');
      await hidden.stop();
      for (const saved of await ada.savedTexts()) {
        assert.ok(onDisk.startsWith(saved), `saved: ${saved}\non disk: ${onDisk}`);
      }
      await server.run();
      await ada.waitForSign('saved');
      assert.equal(await readText(server, 'killed'), typed);
      assert.equal(await ada.text(), typed);
    }
    assert.ok((await ada.savedTexts()).length >= 6);
    assertNoProblems(context);
  });
});

describe('two tabs of one browser', () => {
  test('show one text while the server is down', async () => {
    const context = await person(browser, 'Ada');
    const left = await Editor.open(context, server, 'tabs');
    const right = await Editor.open(context, server, 'tabs');
    await left.type('Together. ');
    await right.waitForText((text) => text === 'Together. ');
    await left.waitForSign('saved');
    await server.stop();
    await left.waitForSign('reconnecting');
    await left.type('Left tab. ');
    await right.waitForText((text) => text.includes('Left tab. '));
    await right.type('Right tab. ');
    const text = await left.waitForText((now) => now.includes('Right tab. '));
    await left.waitForSign('offline');
    await server.run();
    await Promise.all([left.waitForSign('saved'), right.waitForSign('saved')]);
    assert.equal(await readText(server, 'tabs'), text);
    assert.equal(count(text, 'Left tab. '), 1);
    assertNoProblems(context);
  });
});

describe('a connection that only looks alive', () => {
  test('is noticed within ten seconds, and nothing is lost', async () => {
    const context = await person(browser, 'Ada');
    const page = await context.newPage();
    let isSwallowing = false;
    await page.routeWebSocket(/\/sync\//, (socket) => {
      const behind = socket.connectToServer();
      socket.onMessage((message) => {
        if (!isSwallowing) behind.send(message);
      });
    });
    await page.goto(`${server.url}/d/half-open`);
    const ada = new Editor(page);
    await ada.waitForSign('saved');
    isSwallowing = true;
    await ada.type('into the void');
    await ada.waitForSign('saving');
    await ada.waitForSign('offline', 10_000);
    await page.waitForTimeout(4_000);
    assert.equal(await ada.sign.getAttribute('data-sign'), 'offline', 'nobody has answered since');
    isSwallowing = false;
    await ada.waitForSign('saved');
    assert.equal(await readText(server, 'half-open'), 'into the void');
    assertNoProblems(context);
  });
});

describe('a server with another generation of the document', () => {
  test('takes nothing; the text can be kept as a new document', async () => {
    const context = await person(browser, 'Ada');
    const ada = await Editor.open(context, server, 'generation');
    await ada.type('My copy of the text');
    await ada.waitForSign('saved');
    await ada.page.close();

    const page = await context.newPage();
    await page.routeWebSocket(/\/sync\/generation/, (socket) =>
      socket.close({ code: 4409, reason: 'generation_changed' }),
    );
    await page.goto(`${server.url}/d/generation`);
    const kept = new Editor(page);
    await kept.waitForText((text) => text === 'My copy of the text');
    await page.getByText('An earlier state of this document was put back').waitFor();
    await page.getByRole('button', { name: 'Keep mine as a new document' }).click();
    await page.waitForURL((url) => !url.pathname.endsWith('/generation'));
    await kept.waitForSign('saved');
    await kept.waitForText((text) => text === 'My copy of the text');
    assertNoProblems(context);
  });
});

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import * as Y from 'yjs';
import { assertNoProblems, closeEverybody, Editor, launch, person } from './support/browser.mjs';
import { closeClients, readText, stockClient, synced } from './support/client.mjs';
import { Server } from './support/server.mjs';

let browser;
let server;

before(async () => {
  [browser, server] = await Promise.all([launch(), Server.start()]);
});

after(async () => {
  closeClients();
  await browser?.close();
  await server?.remove();
});

afterEach(() => closeEverybody(browser));

async function two(name) {
  const contexts = [await person(browser, 'Ada Okafor'), await person(browser, 'Chen Wei')];
  const [ada, chen] = [
    await Editor.open(contexts[0], server, name),
    await Editor.open(contexts[1], server, name),
  ];
  return { contexts, ada, chen };
}

describe('two people in one document', () => {
  test('who type at once in one sentence end with one text, and so does the server', async () => {
    const { contexts, ada, chen } = await two('at-once');
    await ada.type('The ferry stopped running in the spring.');
    await chen.waitForText((text) => text.endsWith('spring.'));
    await chen.content.focus();
    await chen.page.keyboard.press('Control+Home');
    await ada.page.keyboard.press('Control+Home');
    for (let step = 0; step < 10; step += 1) await ada.page.keyboard.press('ArrowRight');
    await Promise.all([
      ada.page.keyboard.type('ADA WROTE THIS ', { delay: 15 }),
      chen.page.keyboard.type('chen wrote this ', { delay: 12 }),
    ]);
    await Promise.all([ada.waitForSign('saved'), chen.waitForSign('saved')]);
    const text = await ada.waitForText((now) => now.length === 40 + 15 + 16);
    assert.match(text, /ADA WROTE THIS /);
    assert.match(text, /chen wrote this /);
    assert.equal(await chen.waitForText((now) => now === text), text);
    assert.equal(await readText(server, 'at-once'), text);
    assertNoProblems(...contexts);
  });

  test('see each other’s caret with its name, which goes quiet after a while', async () => {
    const { contexts, ada, chen } = await two('carets');
    await ada.type('One line.\n\nAnother line.');
    const caret = chen.page.locator('.caret');
    await caret.waitFor();
    assert.equal(await caret.textContent(), 'Ada Okafor');
    assert.ok(await caret.locator('span').isVisible());
    await chen.page.locator('.caret.quiet').waitFor();
    assert.ok(!(await caret.locator('span').isVisible()));
    await caret.hover({ force: true });
    assert.ok(await caret.locator('span').isVisible(), 'the name comes back under the pointer');
    assertNoProblems(...contexts);
  });

  test('see what the other has selected, in different colours', async () => {
    const { contexts, ada, chen } = await two('selection');
    await ada.type('select these words');
    await chen.waitForText((text) => text.endsWith('words'));
    await ada.page.keyboard.press('Control+A');
    const selection = chen.page.locator('.remote-selection');
    await selection.waitFor();
    assert.equal(await selection.textContent(), 'select these words');
    await chen.content.focus();
    await ada.page.locator('.caret').waitFor({ state: 'attached' });
    const [hers, his] = await Promise.all([
      chen.page.locator('.caret').getAttribute('class'),
      ada.page.locator('.caret').getAttribute('class'),
    ]);
    assert.match(hers, /\ba\d+\b/);
    assert.notEqual(/\ba\d+\b/.exec(hers)[0], /\ba\d+\b/.exec(his)[0]);
    assertNoProblems(...contexts);
  });

  test('see names only under the pointer once there is a crowd', async () => {
    const context = await person(browser, 'Ada Okafor');
    const ada = await Editor.open(context, server, 'crowd');
    await ada.type('A line for everybody.');
    await ada.waitForSign('saved');
    const peers = Array.from({ length: 30 }, () => stockClient(server, 'crowd'));
    await Promise.all(peers.map(synced));
    peers.forEach(({ text, provider }, index) => {
      const position = Y.createRelativePositionFromTypeIndex(text, index % 20);
      provider.awareness.setLocalStateField('user', { name: `Peer ${index}`, color: '#30bced' });
      provider.awareness.setLocalStateField('cursor', { anchor: position, head: position });
    });
    const carets = ada.page.locator('.caret.quiet');
    await ada.page.waitForFunction(() => document.querySelectorAll('.caret.quiet').length === 30);
    assert.equal(await ada.page.locator('.caret:not(.quiet)').count(), 0);
    await carets.nth(10).hover({ force: true });
    assert.equal(await ada.page.locator('.caret > span:visible').count(), 1);
    await ada.page.getByRole('button', { name: /^Here now: .* and 28 more/ }).waitFor();
    await ada.type(' Typed in a crowd.');
    await ada.waitForSign('saved');
    for (const peer of peers) peer.close();
    await ada.page.waitForFunction(() => document.querySelectorAll('.caret').length === 0);
    assert.equal(await readText(server, 'crowd'), 'A line for everybody. Typed in a crowd.');
    assertNoProblems(context);
  });

  test('are told where the other is writing', async () => {
    const { ada, chen } = await two('where');
    await ada.type('# Still to do\n\nCheck the ferry times');
    await chen.page.getByText('Ada is writing in “Still to do”').waitFor();
  });

  test('are told who is here, and when somebody has gone', async () => {
    const { contexts, ada, chen } = await two('here');
    await ada.page.getByRole('button', { name: 'Here now: Chen Wei' }).click();
    const list = ada.page.locator('.people-list');
    assert.match(await list.textContent(), /Ada Okafor\s*you/);
    assert.match(await list.textContent(), /Chen Wei/);
    await chen.page.close();
    await ada.page.getByRole('button', { name: 'Here now: only you' }).waitFor();
    assertNoProblems(...contexts);
  });

  test('take back only what they wrote themselves', async () => {
    const { contexts, ada, chen } = await two('undo');
    await ada.type('Ada begins. ');
    await ada.page.waitForTimeout(700); // the next keys are an undo step of their own
    await ada.type('Ada goes on.');
    await chen.waitForText((text) => text.endsWith('goes on.'));
    await chen.content.focus();
    await chen.page.keyboard.press('Control+End');
    for (let step = 0; step < 'goes on.'.length; step += 1)
      await chen.page.keyboard.press('ArrowLeft');
    await chen.page.keyboard.type('(Chen inside) ', { delay: 5 });
    await ada.waitForText((text) => text.includes('(Chen inside) '));

    await ada.page.keyboard.press('Control+Z');
    await ada.waitForText((text) => text === 'Ada begins. (Chen inside) ');
    await ada.page.keyboard.press('Control+Z');
    await ada.waitForText((text) => text === '(Chen inside) ');
    await ada.page.keyboard.press('Control+Z');
    await ada.page.keyboard.press('Control+Y');
    await ada.waitForText((text) => text.includes('Ada begins. '));
    await ada.page.keyboard.press('Control+Y');
    const text = await ada.waitForText((now) => now.includes('goes on.'));
    assert.equal(text, 'Ada begins. Ada (Chen inside) goes on.');
    assert.equal(await chen.waitForText((now) => now === text), text);
    await chen.page.keyboard.press('Control+Z');
    await ada.waitForText((now) => now === 'Ada begins. Ada goes on.');
    assertNoProblems(...contexts);
  });

  test('may compose characters while the other types in the same line', async () => {
    const { contexts, ada, chen } = await two('composition');
    await ada.type('start end');
    await chen.waitForText((text) => text === 'start end');
    const keys = await contexts[0].newCDPSession(ada.page);
    await keys.send('Input.imeSetComposition', { text: 'に', selectionStart: 1, selectionEnd: 1 });
    await chen.content.focus();
    await chen.page.keyboard.press('Control+Home');
    await chen.page.keyboard.type('Chen ', { delay: 20 });
    await keys.send('Input.imeSetComposition', {
      text: 'にほん',
      selectionStart: 3,
      selectionEnd: 3,
    });
    await chen.page.keyboard.type('too ', { delay: 20 });
    await keys.send('Input.insertText', { text: '日本' });
    const text = 'Chen too start end日本';
    await ada.waitForText((now) => now === text);
    await chen.waitForText((now) => now === text);
    assertNoProblems(...contexts);
  });
});

describe('a client of another program', () => {
  test('and the editor write one text, and see each other', async () => {
    const context = await person(browser, 'Ada Okafor');
    const ada = await Editor.open(context, server, 'foreign');
    const other = stockClient(server, 'foreign');
    other.provider.awareness.setLocalStateField('user', { name: 'Emacs', color: '#30bced' });
    await ada.type('from the browser');
    await ada.waitForSign('saved');
    while (!other.text.toString().endsWith('browser')) {
      await new Promise((resolve) => other.doc.once('update', resolve));
    }
    other.text.insert(0, 'from elsewhere, ');
    await ada.waitForText((text) => text === 'from elsewhere, from the browser');
    await ada.page.getByRole('button', { name: 'Here now: Emacs' }).waitFor();
    const users = [...other.provider.awareness.getStates().values()].map(({ user }) => user?.name);
    assert.ok(users.includes('Ada Okafor'));
    other.close();
    assertNoProblems(context);
  });

  test('may write carriage returns, and nothing gets out of place', async () => {
    const context = await person(browser, 'Ada Okafor');
    const other = stockClient(server, 'returns');
    other.text.insert(0, 'one\r\ntwo\r\nthree');
    const ada = await Editor.open(context, server, 'returns');
    await ada.waitForText((text) => text.includes('three'));
    await ada.type('!');
    await ada.waitForSign('saved');
    assert.equal(await readText(server, 'returns'), 'one\r\ntwo\r\nthree!');
    other.close();
    assertNoProblems(context);
  });
});

import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { after, afterEach, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import AxeBuilder from '@axe-core/playwright';
import { assertNoProblems, closeEverybody, Editor, launch, person } from './support/browser.mjs';
import { closeClients, readText, stockClient, synced } from './support/client.mjs';
import { Server } from './support/server.mjs';

const kPictures = process.env.PALIMPSEST_SCREENSHOTS;
const kSizes = [
  { label: '1440', viewport: { width: 1440, height: 900 } },
  { label: '390', viewport: { width: 390, height: 844 } },
];
const kThemes = ['light', 'dark'];
const kText = `# The river and the press

The ferry stopped running in the spring, and with it the last reason to be on the east bank after dark. What stayed was the press: two rooms, a proofing bench, and a window that looked at nothing but water and the lights of the far quay.

## What the water kept

Every page printed here had been **something else first**. Ledgers, mostly; tide tables; a toll-keeper’s diary scraped thin and written over, so that under the new lines you could still make out the hours of the boats.

> You knew the hour by the colour of the water, and you knew the year by the colour of the ink.

Ada keeps a list of them

## Still to do

- [x] Ask the trust for the 1812 map
- [ ] Check the ferry times against the tables
- [ ] Second reading on Thursday
`;

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

/** Puts a text into a document as somebody would who writes with another program. */
async function write(name, text, author) {
  const client = stockClient(server, name);
  client.provider.awareness.setLocalStateField('user', { name: author, color: '#00786a' });
  await synced(client);
  client.text.insert(0, text);
  while ((await readText(server, name)) !== text) await sleep(20);
  client.close();
}

describe('the home page', () => {
  test('says so when there is nothing, and makes the first document', async () => {
    const context = await person(browser, 'Mara Rossi');
    const page = await context.newPage();
    await page.goto(server.url);
    await page.getByText('Nothing here yet. Write something.').waitFor();
    await page.getByRole('button', { name: 'New document' }).click();
    await page.waitForURL(/\/d\/[^/]{20,}$/);
    const editor = new Editor(page);
    await editor.waitForSign('saved');
    await editor.type('# A first title\n\nAnd a first sentence.');
    await editor.waitForSign('saved');
    assert.equal(await page.title(), 'A first title · Palimpsest');
    await page.getByRole('link', { name: 'All documents' }).click();
    const row = page.getByRole('link', { name: /A first title/ });
    await row.waitFor();
    await page.getByRole('heading', { name: 'Today' }).waitFor();
    await page.getByText('And a first sentence.').waitFor();
    await row.click();
    await editor.waitForText((text) => text.includes('And a first sentence.'));
    assertNoProblems(context);
  });

  test('says who is in a document, and stays fresh by itself', async () => {
    const [mara, ada] = [await person(browser, 'Mara Rossi'), await person(browser, 'Ada Okafor')];
    const page = await mara.newPage();
    await page.goto(server.url);
    await page.getByRole('heading', { name: 'Recent' }).waitFor();
    const editor = await Editor.open(ada, server, 'live-list');
    await editor.type('# Watched while it grows\n\n');
    await page.getByRole('link', { name: /Watched while it grows/ }).waitFor();
    await page.getByText('Ada is writing').waitFor();
    assertNoProblems(mara, ada);
  });

  test('tells when the server cannot be reached, and recovers', async () => {
    const context = await person(browser, 'Mara Rossi');
    const page = await context.newPage();
    await page.goto(server.url);
    await page.getByRole('heading', { name: 'Recent' }).waitFor();
    await server.stop();
    await page.getByText('The server cannot be reached.').first().waitFor();
    await server.run();
    await page.getByText('The server cannot be reached.').first().waitFor({ state: 'detached' });
    assertNoProblems(context);
  });

  test('lets people choose the name that others see', async () => {
    const context = await person(browser, 'Somebody');
    const page = await context.newPage();
    await page.goto(server.url);
    await page
      .getByRole('button', { name: /Somebody/ })
      .first()
      .click();
    await page.getByRole('textbox', { name: 'Your name' }).fill('Zoë Lind');
    await page.getByRole('button', { name: 'Save' }).click();
    await page
      .getByRole('button', { name: /Zoë Lind/ })
      .first()
      .waitFor();
    await Editor.open(context, server, 'named');
    const other = await Editor.open(await person(browser, 'Ada'), server, 'named');
    await other.page.getByRole('button', { name: 'Here now: Zoë Lind' }).waitFor();
    assertNoProblems(context);
  });
});

describe('the keys of a phone', () => {
  test('all do what they say', async () => {
    const options = { viewport: kSizes[1].viewport, hasTouch: true, isMobile: true };
    const context = await person(browser, 'Ada', options);
    const ada = await Editor.open(context, server, 'keys');
    const key = (name) =>
      ada.page.getByRole('toolbar', { name: 'Formatting' }).getByRole('button', { name });
    const expectText = (text) => ada.waitForText((now) => now === text);
    await ada.content.tap();
    await ada.page.keyboard.type('words');
    await key('Heading').tap();
    await expectText('# words');
    await key('Heading').tap();
    await expectText('## words');
    await key('Heading').tap();
    await key('Heading').tap();
    await expectText('words');
    await key('Strong').tap();
    await expectText('**words**');
    await key('Strong').tap();
    await key('Emphasis').tap();
    await expectText('*words*');
    await key('Emphasis').tap();
    await key('List').tap();
    await expectText('- words');
    await key('Task').tap();
    await expectText('- [ ] words');
    await key('Task').tap();
    await expectText('- [x] words');
    await key('Link').tap();
    await expectText('- [x] [words](https://)');
    await ada.page.waitForTimeout(700);
    await ada.page.keyboard.type('example.org');
    await expectText('- [x] [words](example.org)');
    await key('Undo').tap();
    await expectText('- [x] [words](https://)');
    assertNoProblems(context);
  });
});

describe('every screen, in both themes, large and small', () => {
  before(async () => {
    await write(
      'minutes',
      '# Editorial meeting, 20 November\n\nPresent: Mara, Ada, Jun. Agenda: autumn list, paper stock, the cover.',
      'Jun Brandt',
    );
    await write(
      'style',
      '# House style\n\nNumbers from one to twelve are spelled out, except in tables.',
      'Mara Rossi',
    );
    await write('river', kText, 'Mara Rossi');
  });

  /** Puts the selection on these words of an editor's text. */
  const select = (editor, words, isRange) =>
    editor.content.evaluate(
      (content, [wanted, range]) => {
        content.focus();
        const walker = document.createTreeWalker(content, NodeFilter.SHOW_TEXT);
        for (let node = walker.nextNode(); node; node = walker.nextNode()) {
          const at = node.data.indexOf(wanted);
          if (at < 0) continue;
          const end = at + wanted.length;
          getSelection().setBaseAndExtent(node, range ? at : end, node, end);
          return;
        }
      },
      [words, isRange],
    );

  async function check(page, label) {
    if (kPictures) {
      await mkdir(kPictures, { recursive: true });
      await page.screenshot({ path: `${kPictures}/${label}.png` });
    }
    const { violations } = await new AxeBuilder({ page }).analyze();
    const found = violations.map(
      ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' | ')}`,
    );
    assert.deepEqual(found, [], label);
    const isScrolling = await page.evaluate(
      () => document.documentElement.scrollWidth > document.documentElement.clientWidth,
    );
    assert.ok(!isScrolling, `${label} scrolls sideways`);
  }

  for (const colorScheme of kThemes) {
    for (const { label, viewport } of kSizes) {
      test(`the editor, ${colorScheme}, ${label} px`, async () => {
        const contexts = [];
        const join = async (name) => {
          const context = await person(browser, name, { viewport, colorScheme });
          contexts.push(context);
          return Editor.open(context, server, 'river');
        };
        const [mara, jun, chen, ada] = [
          await join('Mara Rossi'),
          await join('Jun Brandt'),
          await join('Chen Wei'),
          await join('Ada Okafor'),
        ];
        await select(jun, 'against the tables', false);
        await mara.page.locator('.caret.quiet').first().waitFor();
        await select(mara, 'you could still', false);
        await select(chen, 'nothing but water and the lights of the far quay', true);
        await select(ada, 'a list of them', false);
        await mara.page.locator('.caret', { hasText: 'Ada Okafor' }).waitFor();
        await mara.page.waitForTimeout(200);
        await check(mara.page, `editor-${colorScheme}-${label}`);
        await mara.page.getByRole('button', { name: /^Here now/ }).click();
        await check(mara.page, `people-${colorScheme}-${label}`);
        assertNoProblems(...contexts);
      });

      test(`home, ${colorScheme}, ${label} px`, async () => {
        const context = await person(browser, 'Mara Rossi', { viewport, colorScheme });
        const page = await context.newPage();
        await page.goto(server.url);
        await page.getByRole('link', { name: /The river and the press/ }).waitFor();
        await check(page, `home-${colorScheme}-${label}`);
        await page
          .getByRole('button', { name: /Mara Rossi/ })
          .first()
          .click();
        await check(page, `name-${colorScheme}-${label}`);
        assertNoProblems(context);
      });
    }
  }
});

import assert from 'node:assert/strict';
import { chromium } from 'playwright-core';

const kPath = process.env.CHROMIUM ?? '/usr/bin/chromium';
/** For everything that happens soon; a machine may be busy with other work. */
const kPatienceMs = 40_000;
const kFlags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Starts Chromium. */
export const launch = () => chromium.launch({ executablePath: kPath, args: kFlags });

/**
 * A person with a browser profile of their own. What goes wrong in their pages (an exception, a
 * broken content policy) is collected in `problems`.
 */
export async function person(browser, name, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1100, height: 800 }, ...options });
  context.problems = [];
  await context.addInitScript(
    (value) => {
      if (location.protocol !== 'http:') return; // a blank page has no storage
      if (!localStorage.getItem('palimpsest.me')) localStorage.setItem('palimpsest.me', value);
    },
    JSON.stringify({ id: name, name }),
  );
  context.on('page', (page) => {
    page.on('pageerror', (error) => context.problems.push(String(error.stack)));
    page.on('console', (message) => {
      if (/Content.Security.Policy|Refused to/.test(message.text())) {
        context.problems.push(message.text());
      }
    });
  });
  return context;
}

/** Ends everybody's visit. */
export async function closeEverybody(browser) {
  await Promise.all(browser.contexts().map((context) => context.close()));
}

/** Nothing went wrong in anybody's page. */
export function assertNoProblems(...contexts) {
  assert.deepEqual(
    contexts.flatMap(({ problems }) => problems),
    [],
  );
}

/** One editor in a page. */
export class Editor {
  constructor(page) {
    this.page = page;
    this.content = page.locator('.cm-content');
    this.sign = page.locator('[data-sign]');
  }

  /** Opens a document and waits until it can be written in and everything is saved. */
  static async open(context, server, name) {
    const page = await context.newPage();
    await page.goto(`${server.url}/d/${encodeURIComponent(name)}`);
    const editor = new Editor(page);
    await editor.content.waitFor();
    await editor.waitForSign('saved');
    return editor;
  }

  /** Types at the end of the text, key by key. */
  async type(text, { delay = 5 } = {}) {
    await this.goToEnd();
    await this.page.keyboard.type(text, { delay });
  }

  async goToEnd() {
    await this.content.focus();
    await this.page.keyboard.press('Control+End');
  }

  /** The text, without what is drawn into it. For texts that fit on the screen. */
  text() {
    return this.content.evaluate((content) => {
      const copy = content.cloneNode(true);
      for (const drawn of copy.querySelectorAll('.caret, .cm-placeholder, .cm-widgetBuffer'))
        drawn.remove();
      return [...copy.querySelectorAll('.cm-line')].map((line) => line.textContent).join('\n');
    });
  }

  /** Waits for a sign that holds for everything typed so far. */
  async waitForSign(kind, timeout = kPatienceMs) {
    await this.page.locator(`[data-sign="${kind}"]:not([aria-busy="true"])`).waitFor({ timeout });
  }

  /** Waits until `isTrue(text)`. */
  async waitForText(isTrue, timeout = kPatienceMs) {
    const deadline = Date.now() + timeout;
    for (;;) {
      const text = await this.text();
      if (isTrue(text)) return text;
      if (Date.now() > deadline) throw new Error(`the text is still:\n${text}`);
      await this.page.waitForTimeout(50);
    }
  }

  /** From now on remembers the text of every moment at which the sign said "Saved". */
  async watchSaved() {
    await this.page.evaluate(() => {
      const content = document.querySelector('.cm-content');
      const sign = document.querySelector('[data-sign]');
      window.savedTexts = [];
      window.signsSeen = [];
      const look = () => {
        const kind = sign.dataset.sign;
        if (window.signsSeen.at(-1) !== kind) window.signsSeen.push(kind);
        if (!sign.textContent.includes('Saved')) return;
        const lines = [...content.querySelectorAll('.cm-line')];
        window.savedTexts.push(lines.map((line) => line.textContent).join('\n'));
      };
      new MutationObserver(look).observe(sign, {
        attributes: true,
        childList: true,
        characterData: true,
        subtree: true,
      });
    });
  }

  savedTexts() {
    return this.page.evaluate(() => window.savedTexts);
  }

  signsSeen() {
    return this.page.evaluate(() => window.signsSeen);
  }
}

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';
import { beforeAll, describe, expect, test } from 'vitest';

interface Chunk {
  readonly file: string;
  readonly imports?: readonly string[];
}

const dist = new URL('../dist/', import.meta.url).pathname;
let chunks: Readonly<Record<string, Chunk>>;

/** Every script that a screen waits for. */
function scriptsOf(...entries: string[]): Set<string> {
  const files = new Set<string>();
  const visit = (name: string) => {
    const chunk = chunks[name];
    if (!chunk) throw new Error(`no chunk ${name}`);
    if (files.has(chunk.file)) return;
    files.add(chunk.file);
    chunk.imports?.forEach(visit);
  };
  entries.forEach(visit);
  return files;
}

const gzipKb = (files: Set<string>): number =>
  [...files].reduce((sum, file) => sum + gzipSync(readFileSync(dist + file)).length, 0) / 1000;

describe('what is built', () => {
  beforeAll(async () => {
    if (!existsSync(`${dist}.vite/manifest.json`)) await build({ logLevel: 'silent' });
    chunks = JSON.parse(readFileSync(`${dist}.vite/manifest.json`, 'utf8')) as typeof chunks;
  });

  test('the list of documents waits for at most 35 kB of script', () => {
    expect(gzipKb(scriptsOf('index.html', 'src/screens/home.tsx'))).toBeLessThan(35);
  });

  test('the editor waits for at most 185 kB of script', () => {
    expect(gzipKb(scriptsOf('index.html', 'src/screens/editor.tsx'))).toBeLessThan(185);
  });

  test('the page obeys a policy without inline scripts, styles or data addresses', () => {
    const page = readFileSync(`${dist}index.html`, 'utf8');
    expect(page).toContain('content="__CSP_NONCE__"');
    expect(page).not.toMatch(/<style|\sstyle=|<script(?![^>]*\ssrc=)|\son\w+=/);
    for (const file of readdirSync(`${dist}assets`).filter((name) => name.endsWith('.css'))) {
      expect(readFileSync(`${dist}assets/${file}`, 'utf8')).not.toContain('url(data:');
    }
  });

  test('everything that the page asks for comes from its own origin', () => {
    expect(readFileSync(`${dist}index.html`, 'utf8')).not.toMatch(/(?:href|src)="(?:https?:)?\/\//);
  });
});

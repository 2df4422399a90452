import { expect, test } from 'vitest';
import type { DocumentSummary } from '../../src/api';
import { rowOf } from '../../src/home/row';

const now = 1_000_000;
const document: DocumentSummary = {
  name: 'a/b c',
  title: 'The river',
  excerpt: 'The ferry',
  createdAt: 0,
  editedAt: now - 1_000,
  authors: [{ client: 1, name: 'Mara Rossi' }, { client: 2, name: 'Ada Okafor' }, { client: 3, name: '' }], // prettier-ignore
  here: [{ name: 'Ada Okafor' }, { name: 'Chen Wei' }, { name: 'Ada Okafor' }],
};

test('a row says who is writing, and shows everybody once', () => {
  const row = rowOf(document, now);
  expect(row.live).toBe('Ada and Chen are writing');
  expect(row.people).toEqual(['Ada Okafor', 'Chen Wei', 'Mara Rossi']);
  expect(row.href).toBe('/d/a%2Fb%20c');
});

test('who only looks on is here, not writing', () => {
  const quiet = { ...document, editedAt: now - 120_000, here: [{ name: 'Guest Heron' }] };
  expect(rowOf(quiet, now).live).toBe('Guest Heron is here');
});

test('a document without words is untitled', () => {
  expect(rowOf({ ...document, title: '' }, now).title).toBe('Untitled');
});

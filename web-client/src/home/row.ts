import type { DocumentSummary } from '../api';
import { firstName, listNames } from '../ui/avatar';

const kWritingMs = 60_000;

/** What a row of the list shows. */
export interface Row {
  readonly name: string;
  readonly href: string;
  readonly title: string;
  readonly excerpt: string;
  readonly editedAt: number;
  /** Who is in the document, in words; empty when nobody is. */
  readonly live: string;
  /** Everybody who wrote or is here, those who are here first. */
  readonly people: readonly string[];
}

function liveText(document: DocumentSummary, now: number): string {
  const names = [...new Set(document.here.map(({ name }) => name).filter(Boolean))];
  if (names.length === 0) return '';
  const verb = names.length === 1 ? 'is' : 'are';
  const isFresh = now - document.editedAt < kWritingMs;
  return `${listNames(names.map(firstName))} ${verb} ${isFresh ? 'writing' : 'here'}`;
}

/** The row for a document, seen at `now`. */
export function rowOf(document: DocumentSummary, now: number): Row {
  const names = [...document.here, ...document.authors].map(({ name }) => name);
  return {
    name: document.name,
    href: `/d/${encodeURIComponent(document.name)}`,
    title: document.title || 'Untitled',
    excerpt: document.excerpt,
    editedAt: document.editedAt,
    live: liveText(document, now),
    people: [...new Set(names.filter(Boolean))],
  };
}

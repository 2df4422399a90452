import type { Text } from '@codemirror/state';

const kHeading = /^ {0,3}#{1,6}\s+(.*?)(?:\s+#+)?\s*$/;
const kLookBack = 2_000;
const kLookAhead = 50;
const kTitleLimit = 120;

const kLineMarks = /^\s*(?:#{1,6}(?:\s+|$)|>\s*|(?:[-*+]|\d+[.)])\s+(?:\[[ xX]\]\s+)?)+/;
const kLink = /!?\[([^\]]*)\]\([^)]*\)/g;
const kStarred = /(\*\*|\*|~~|`)(?=\S)(.+?)(?<=\S)\1/g;
/** Underscores inside a word are part of it. */
const kUnderscored = /(?<![\p{L}\p{N}])(__|_)(?=\S)(.+?)(?<=\S)\1(?![\p{L}\p{N}])/gu;

/** A line without its Markdown marks. */
export function plain(line: string): string {
  return line
    .replace(kLineMarks, '')
    .replace(kLink, '$1')
    .replace(kStarred, '$2')
    .replace(kUnderscored, '$2')
    .trim();
}

/** The document's title: its first heading near the top, else its first line with words. */
export function titleOf(doc: Text): string {
  let first = '';
  const last = Math.min(doc.lines, kLookAhead);
  for (let number = 1; number <= last; number += 1) {
    const { text } = doc.line(number);
    const heading = plain(kHeading.exec(text)?.[1] ?? '');
    if (heading) return heading.slice(0, kTitleLimit);
    first ||= plain(text);
  }
  return first.slice(0, kTitleLimit);
}

/** The heading of the section in which an offset lies; empty when there is none. */
export function sectionAt(doc: Text, offset: number): string {
  const start = doc.lineAt(Math.min(offset, doc.length)).number;
  for (let number = start; number >= 1 && number > start - kLookBack; number -= 1) {
    const heading = kHeading.exec(doc.line(number).text)?.[1];
    if (heading) return plain(heading);
  }
  return '';
}

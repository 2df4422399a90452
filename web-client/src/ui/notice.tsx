import type { ComponentChildren } from 'preact';
import type { Refusal } from '../sync/close-codes';

/** What happened, what is safe. */
export const kRefusalText: Readonly<Record<Refusal, string>> = {
  'bad-message':
    'The server could not read what this page sent. Your text is kept in this browser.',
  unauthorized: 'You are no longer signed in. Your text is kept in this browser.',
  forbidden: 'You can no longer write here. Your text is kept in this browser.',
  deleted: 'This document was deleted. Your text is kept in this browser.',
  'other-generation':
    'An earlier state of this document was put back on the server. Your text is kept apart, in this browser.',
  'clock-conflict':
    'This browser and the server disagree about what was written here. Your text is kept in this browser.',
  full: 'This document is full. What you wrote since is kept in this browser only.',
  'too-big': 'A change was too big for the server. Your text is kept in this browser.',
  refused: 'The server does not take this document. Your text is kept in this browser.',
};

/** A strip under the bar: something has happened that the person should know. */
export function Notice({
  tone,
  text,
  children,
}: {
  tone: 'warn' | 'danger';
  text: string;
  children?: ComponentChildren;
}) {
  return (
    <div class={`notice ${tone}`} role="alert">
      <p>{text}</p>
      <div class="actions">{children}</div>
    </div>
  );
}

import type { JSX } from 'preact';
import { Icon } from './icons';

/** One key of the row. */
export interface Key {
  readonly label: string;
  readonly face: JSX.Element;
  readonly run: () => void;
}

const keepFocus = (event: Event) => event.preventDefault();

/** The keys that a phone's keyboard lacks. They leave the focus, and the keyboard, where it is. */
export function KeyRow({ keys }: { keys: readonly Key[] }) {
  return (
    <div class="keys" role="toolbar" aria-label="Formatting">
      {keys.map(({ label, face, run }) => (
        <button
          key={label}
          class="btn ghost"
          aria-label={label}
          onPointerDown={keepFocus}
          onMouseDown={keepFocus}
          onClick={run}
        >
          {face}
        </button>
      ))}
    </div>
  );
}

export const kFaces = {
  heading: <span>#</span>,
  strong: <b>B</b>,
  emphasis: <em>I</em>,
  list: <span>–</span>,
  task: <Icon name="check" />,
  link: <Icon name="link" />,
  undo: <Icon name="undo" />,
} as const;

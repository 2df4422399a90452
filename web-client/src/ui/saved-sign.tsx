import type { Sign, SignKind } from '../sync/saved-state';
import { Icon, type IconName } from './icons';

interface Look {
  readonly icon: IconName | null;
  readonly tone: 'quiet' | 'warn' | 'danger';
}

const kLooks: Readonly<Record<SignKind, Look>> = {
  saved: { icon: 'check', tone: 'quiet' },
  fading: { icon: 'check', tone: 'quiet' },
  saving: { icon: 'check', tone: 'quiet' },
  connected: { icon: 'check', tone: 'quiet' },
  connecting: { icon: null, tone: 'quiet' },
  reconnecting: { icon: 'cloudOff', tone: 'quiet' },
  offline: { icon: 'cloudOff', tone: 'warn' },
  'not-saved': { icon: 'alert', tone: 'danger' },
  stopped: { icon: 'alert', tone: 'danger' },
};

function waiting(words: number): string {
  if (words === 0) return 'Changes waiting to be sent';
  const count = new Intl.NumberFormat('en').format(words);
  return `${count} ${words === 1 ? 'word' : 'words'} waiting to be sent`;
}

/** What the sign says; nothing while a change is on its way and all is well. */
export function signText(kind: SignKind, words: number): string {
  switch (kind) {
    case 'saved':
      return 'Saved';
    case 'fading':
      return '';
    case 'saving':
      return 'Saving…';
    case 'connected':
      return 'Connected';
    case 'connecting':
      return 'Connecting…';
    case 'reconnecting':
      return 'Reconnecting…';
    case 'offline':
      return `Offline. ${waiting(words)}`;
    case 'not-saved':
      return 'Not saved. Copy your text';
    case 'stopped':
      return 'Not connected';
  }
}

/** The saved sign. Where the connection is down, a click tries it at once. */
export function SavedSign({
  sign,
  words,
  onRetry,
  onCopy,
}: {
  sign: Sign;
  words: number;
  onRetry: () => void;
  onCopy: () => void;
}) {
  const { icon, tone } = kLooks[sign.kind];
  const text = signText(sign.kind, words);
  const canRetry = sign.kind === 'reconnecting' || sign.kind === 'offline';
  const action = canRetry ? onRetry : sign.kind === 'not-saved' ? onCopy : null;
  const content = (
    <>
      {icon && <Icon name={icon} />}
      <span class="txt">{text}</span>
    </>
  );
  return (
    <span
      class={`state ${tone} ${sign.kind}`}
      role="status"
      aria-busy={sign.busy}
      data-sign={sign.kind}
    >
      {action ? (
        <button class="state-action" title={canRetry ? 'Try to connect now' : ''} onClick={action}>
          {content}
        </button>
      ) : (
        content
      )}
    </span>
  );
}

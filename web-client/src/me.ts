import { signal } from '@preact/signals';

/** The person at this browser. No account: an id that recognises their tabs, and a chosen name. */
export interface Me {
  readonly id: string;
  readonly name: string;
}

const kKey = 'palimpsest.me';
const kBirds = [
  'Avocet', 'Bittern', 'Crane', 'Curlew', 'Dipper', 'Dunlin', 'Egret', 'Fieldfare', 'Finch',
  'Goldcrest', 'Grebe', 'Heron', 'Ibis', 'Jackdaw', 'Kestrel', 'Lapwing', 'Linnet', 'Martin',
  'Merlin', 'Nightjar', 'Oriole', 'Petrel', 'Plover', 'Redstart', 'Sandpiper', 'Siskin', 'Swift',
  'Tern', 'Thrush', 'Wagtail', 'Warbler', 'Wren',
]; // prettier-ignore

/** The longest name that is taken. */
export const kNameLimit = 60;

function parse(stored: string | null): Me | null {
  if (stored === null) return null;
  try {
    const value: unknown = JSON.parse(stored);
    if (typeof value !== 'object' || value === null) return null;
    const { id, name } = value as Record<string, unknown>;
    return typeof id === 'string' && typeof name === 'string' && name ? { id, name } : null;
  } catch {
    return null;
  }
}

function read(): Me | null {
  try {
    return parse(localStorage.getItem(kKey));
  } catch {
    return null; // storage is switched off: a name for this visit only
  }
}

function write(value: Me): void {
  try {
    localStorage.setItem(kKey, JSON.stringify(value));
  } catch {
    // as above
  }
}

function stranger(): Me {
  const id = Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('');
  const bird = kBirds[Number.parseInt(id.slice(0, 4), 16) % kBirds.length];
  const value = { id, name: `Guest ${bird}` };
  write(value);
  return value;
}

/** Who is at this browser, in every tab the same. */
export const me = signal<Me>(read() ?? stranger());

/** Takes a new name; an empty one is no change. */
export function rename(name: string): void {
  const trimmed = name.trim().slice(0, kNameLimit);
  if (!trimmed) return;
  me.value = { ...me.value, name: trimmed };
  write(me.value);
}

addEventListener('storage', (event) => {
  if (event.key === kKey) me.value = parse(event.newValue) ?? me.value;
});

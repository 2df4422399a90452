/** The author colours of the light theme, as the clients of other programs are told them. */
const kHex = [
  '#00786a', '#a0395d', '#2f60b2', '#966500', '#623186', '#791000',
  '#007a9c', '#b75135', '#005725', '#6b1a60', '#535f00', '#713400',
] as const; // prettier-ignore

/** The colour of author `index` (1 to 12) as #rrggbb. */
export const hexOf = (index: number): string => kHex[(index - 1) % kHex.length] ?? kHex[0];

function hash(text: string): number {
  let value = 2166136261;
  for (let at = 0; at < text.length; at += 1) {
    value = Math.imul(value ^ text.charCodeAt(at), 16777619);
  }
  return value >>> 0;
}

/**
 * A colour for each name of a list: our own name the first, every other name always the same within
 * a list, and different names different ones as long as there are colours.
 */
export function coloursByName(own: string, names: Iterable<string>): ReadonlyMap<string, number> {
  const colours = new Map<string, number>([[own, 1]]);
  const taken = new Set<number>([0]);
  for (const name of [...new Set(names)].toSorted()) {
    if (name === own) continue;
    const wish = hash(name) % kHex.length;
    let colour = wish;
    while (taken.has(colour) && taken.size < kHex.length) colour = (colour + 1) % kHex.length;
    if (taken.size === kHex.length) colour = wish;
    taken.add(colour);
    colours.set(name, colour + 1);
  }
  return colours;
}

/** One or two letters that stand for a name. */
export function initials(name: string): string {
  const words = name.trim().split(/\s+/u);
  const letters = words.length > 1 ? [words[0], words.at(-1)] : [words[0]];
  return letters
    .map((word) => [...(word ?? '')][0] ?? '')
    .join('')
    .toLocaleUpperCase();
}

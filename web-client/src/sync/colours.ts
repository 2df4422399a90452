/** How many author colours there are; they are numbered from 1. */
export const kColours = 12;

/** What decides about a colour: which one a client shows, and who the person is. */
export interface ColourClaim {
  readonly client: number;
  readonly person: string | null;
  readonly colour: number | null;
}

function lowestFree(taken: ReadonlySet<number>): number {
  for (let colour = 1; colour <= kColours; colour += 1) if (!taken.has(colour)) return colour;
  return 1 + (taken.size % kColours);
}

/**
 * The colour for our own client: that of an earlier tab of ours, the one we have unless an earlier
 * client shows it, the one remembered from the last visit if it is free, or the lowest free one.
 * Of two clients the one with the lower id counts as earlier, so that exactly one of them yields.
 */
export function chooseColour(
  own: ColourClaim,
  others: readonly ColourClaim[],
  remembered: number | null,
): number {
  const twins = others.filter(({ person }) => person !== null && person === own.person);
  const twin = twins.find(({ client, colour }) => colour && (!own.colour || client < own.client));
  if (twin?.colour) return twin.colour;
  const strangers = others.filter((other) => other.colour !== null && !twins.includes(other));
  const isFree = (colour: number) => strangers.every((other) => other.colour !== colour);
  const holder = strangers.find(({ colour }) => colour === own.colour);
  if (own.colour !== null && (!holder || holder.client > own.client)) return own.colour;
  if (own.colour === null && remembered !== null && isFree(remembered)) return remembered;
  return lowestFree(new Set(strangers.flatMap(({ colour }) => colour ?? [])));
}

/** A colour for everybody: their own where they say one, else the lowest free, in order of id. */
export function colourEverybody(claims: readonly ColourClaim[]): Map<number, number> {
  const colours = new Map<number, number>();
  for (const { client, colour } of claims) if (colour !== null) colours.set(client, colour);
  const rest = claims.filter(({ colour }) => colour === null);
  for (const { client } of rest.toSorted((a, b) => a.client - b.client)) {
    colours.set(client, lowestFree(new Set(colours.values())));
  }
  return colours;
}

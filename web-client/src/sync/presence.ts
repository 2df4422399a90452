import { type ColourClaim, colourEverybody } from './colours';

/** Somebody who has the document open, as awareness tells it. */
export interface Person {
  readonly client: number;
  /** Tabs of one person share it; null for clients of other programs. */
  readonly id: string | null;
  readonly name: string;
  /** 1 to 12. */
  readonly colour: number;
  readonly isSelf: boolean;
}

type States = ReadonlyMap<number, unknown>;

const kNameless = 'Someone';

function userOf(state: unknown): Readonly<Record<string, unknown>> {
  const user: unknown = (state as { user?: unknown } | null)?.user;
  return typeof user === 'object' && user !== null ? (user as Record<string, unknown>) : {};
}

function colourOf(value: unknown): number | null {
  return Number.isInteger(value) && Number(value) >= 1 && Number(value) <= 12
    ? Number(value)
    : null;
}

/** Which colours are claimed, and by whom. */
export function claimsOf(states: States): ColourClaim[] {
  return [...states].map(([client, state]) => {
    const { id, colorIndex } = userOf(state);
    return {
      client,
      person: typeof id === 'string' ? id : null,
      colour: colourOf(colorIndex),
    };
  });
}

/** Every client, in the order of their ids. Clients of other programs may lack anything. */
export function peopleOf(states: States, ownClient: number): Person[] {
  const colours = colourEverybody(claimsOf(states));
  const people = [...states].map(([client, state]) => {
    const { id, name } = userOf(state);
    return {
      client,
      id: typeof id === 'string' ? id : null,
      name: typeof name === 'string' && name.trim() ? name.trim().slice(0, 60) : kNameless,
      colour: colours.get(client) ?? 1,
      isSelf: client === ownClient,
    };
  });
  return people.toSorted((a, b) => a.client - b.client);
}

/** One entry for each person, whatever the number of their tabs. */
export function distinct(people: readonly Person[]): Person[] {
  const seen = new Set<string>();
  return people.filter(({ id }) => {
    if (id === null) return true;
    if (seen.has(id)) return false;
    seen.add(id);
    return true;
  });
}

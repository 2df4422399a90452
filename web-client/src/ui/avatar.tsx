import { initials } from './author-colours';

/** Who stands in an avatar. */
export interface Face {
  readonly name: string;
  /** 1 to 12. */
  readonly colour: number;
}

/** A person as a disc with initials. The name is said by what is around it. */
export function Avatar({ face, size = '' }: { face: Face; size?: '' | 'sm' | 'lg' }) {
  return (
    <span class={`av ${size} a${face.colour}`} aria-hidden="true">
      {initials(face.name)}
    </span>
  );
}

/** Some people, side by side; more than `limit` end in "+n". */
export function Stack({ faces, limit }: { faces: readonly Face[]; limit: number }) {
  const shown = faces.length > limit ? faces.slice(0, limit - 1) : faces;
  const rest = faces.length - shown.length;
  return (
    <span class="stack">
      {shown.map((face, index) => (
        <Avatar key={index} face={face} />
      ))}
      {rest > 0 && (
        <span class="av more" aria-hidden="true">
          +{rest}
        </span>
      )}
    </span>
  );
}

/** "Ada", "Ada and Chen", "Ada, Chen and Jun", "Ada, Chen and 3 more". */
export function listNames(names: readonly string[], limit = 3): string {
  const shown = names.length > limit ? names.slice(0, limit - 1) : names;
  const rest = names.length - shown.length;
  const all = rest > 0 ? [...shown, `${rest} more`] : shown;
  return new Intl.ListFormat('en', { type: 'conjunction' }).format(all).replace(', and', ' and');
}

/** The name by which a person is called in a running sentence. */
export const firstName = (name: string): string =>
  name.startsWith('Guest ') ? name : (name.split(/\s+/u)[0] ?? name);

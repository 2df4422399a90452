import { useState } from 'preact/hooks';
import type { Person } from '../sync/presence';
import { Avatar, listNames, Stack } from './avatar';
import { NameDialog } from './name-dialog';

/** Who is here: up to four faces; a click lists everyone, and goes to where they are. */
export function People({
  people,
  onGoTo,
}: {
  people: readonly Person[];
  onGoTo: (person: Person) => void;
}) {
  const [isNaming, setNaming] = useState(false);
  if (people.length === 0) return null;
  const others = people.filter(({ isSelf }) => !isSelf);
  const faces = others.length > 0 ? others : people;
  const label = others.length > 0 ? listNames(others.map(({ name }) => name)) : 'only you';
  return (
    <>
      <button class="people-button" popovertarget="people">
        <span class="vh">Here now: {label}</span>
        <Stack faces={faces} limit={4} />
      </button>
      <div id="people" class="people-list" popover="auto">
        <h2>Here now</h2>
        <ul>
          {people.map((person) => (
            <li key={person.client}>
              <Avatar face={person} />
              <span class="who">
                {person.name}
                {person.isSelf && <small>you</small>}
              </span>
              {person.isSelf ? (
                <button class="btn ghost" onClick={() => setNaming(true)}>
                  Change name
                </button>
              ) : (
                <button
                  class="btn ghost"
                  popovertarget="people"
                  popovertargetaction="hide"
                  onClick={() => onGoTo(person)}
                >
                  Go to
                </button>
              )}
            </li>
          ))}
        </ul>
      </div>
      {isNaming && <NameDialog onClose={() => setNaming(false)} />}
    </>
  );
}

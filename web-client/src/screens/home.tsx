import '../styles/home.css';
import { useEffect, useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import { createDocument } from '../api';
import { groupByDay, shortTime } from '../home/days';
import { documents, keepFresh, problem } from '../home/documents';
import { type Row, rowOf } from '../home/row';
import { me } from '../me';
import { coloursByName } from '../ui/author-colours';
import { Avatar, Stack } from '../ui/avatar';
import { Icon, Mark } from '../ui/icons';
import { NameDialog } from '../ui/name-dialog';
import { GreyLines } from '../ui/grey-lines';

type Colours = ReadonlyMap<string, number>;

/** The documents of this server, the last edited first. */
export function HomeScreen() {
  const [isNaming, setNaming] = useState(false);
  useEffect(keepFresh, []);
  useEffect(() => {
    document.title = 'Recent · Palimpsest';
  }, []);
  const askName = () => setNaming(true);
  return (
    <div class="home">
      <aside class="rail" aria-label="Library">
        <a class="mark" href="/">
          <Mark />
          Palimpsest
        </a>
        <nav aria-label="Documents">
          <a href="/" aria-current="page">
            <Icon name="clock" />
            Recent
          </a>
        </nav>
        <OwnName onClick={askName} />
      </aside>
      <main>
        <Head onName={askName} />
        <DocumentList />
      </main>
      {isNaming && <NameDialog onClose={() => setNaming(false)} />}
    </div>
  );
}

function OwnName({ onClick }: { onClick: () => void }) {
  const { name } = me.value;
  return (
    <button class="me" onClick={onClick}>
      <Avatar face={{ name, colour: 1 }} size="lg" />
      <span>
        {name}
        <small>Change your name</small>
      </span>
    </button>
  );
}

function Head({ onName }: { onName: () => void }) {
  const { route } = useLocation();
  const [isMaking, setMaking] = useState(false);
  const [error, setError] = useState('');
  const make = async () => {
    setMaking(true);
    setError('');
    try {
      route(`/d/${encodeURIComponent(await createDocument())}`);
    } catch (reason) {
      setError(`No document could be made. ${reason instanceof Error ? reason.message : ''}`);
      setMaking(false);
    }
  };
  return (
    <>
      <div class="head">
        <h1>Recent</h1>
        <button class="me-small" onClick={onName}>
          <span class="vh">You are {me.value.name}. Change your name</span>
          <Avatar face={{ name: me.value.name, colour: 1 }} size="lg" />
        </button>
        <button class="btn primary lg new" disabled={isMaking} onClick={() => void make()}>
          <Icon name="plus" />
          New document
        </button>
      </div>
      {error && (
        <p class="problem" role="alert">
          {error}
        </p>
      )}
    </>
  );
}

function DocumentList() {
  const list = documents.value;
  const trouble = problem.value;
  if (list === null) {
    if (!trouble) return <GreyLines />;
    return (
      <p class="problem" role="alert">
        The list cannot be shown. {trouble} Your documents are safe; this page tries again by
        itself.
      </p>
    );
  }
  const now = Date.now();
  const rows = list.map((document_) => rowOf(document_, now));
  const colours = coloursByName(
    me.value.name,
    rows.flatMap(({ people }) => people),
  );
  return (
    <>
      {trouble && (
        <p class="problem" role="status">
          {trouble} This list may be old.
        </p>
      )}
      {rows.length === 0 && <p class="empty">Nothing here yet. Write something.</p>}
      {groupByDay(rows, now).map(({ label, items }) => (
        <section class="group" key={label}>
          <h2>{label}</h2>
          {items.map((row) => (
            <DocumentRow key={row.name} row={row} now={now} colours={colours} />
          ))}
        </section>
      ))}
    </>
  );
}

function DocumentRow({ row, now, colours }: { row: Row; now: number; colours: Colours }) {
  const faces = row.people.map((name) => ({ name, colour: colours.get(name) ?? 1 }));
  const isLive = row.live.endsWith('writing');
  return (
    <a class="doc" href={row.href}>
      <div>
        <div class="t">{row.title}</div>
        <div class="x">
          {row.live && <span class="live">{row.live}</span>}
          <p>{row.excerpt}</p>
        </div>
      </div>
      <span class="people" title={row.people.join(', ')}>
        <span class="vh">{row.people.join(', ')}</span>
        <Stack faces={faces} limit={3} />
      </span>
      <time class="num" dateTime={new Date(row.editedAt).toISOString()}>
        {isLive ? 'now' : shortTime(row.editedAt, now)}
      </time>
    </a>
  );
}

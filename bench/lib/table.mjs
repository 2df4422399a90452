import { aboutCrdt, renderCrdt } from './crdt-table.mjs'
import { cell, row, separated, significant, times } from './format.mjs'

/** The figures as a reader of the README sees them. */

const shapeText = ({ documents, clients, writers }) =>
  `${documents} document${documents > 1 ? 's' : ''} × ${clients} clients, ` +
  (writers === clients ? 'all typing' : `${writers} of them typing`)

function fanoutRows({ name, shape, rate, window, ours, theirs }) {
  const both = (label, key, unit, scale, isMoreBetter = false) => [
    label, cell(ours[key], unit, scale), cell(theirs[key], unit, scale),
    isMoreBetter
      ? times(ours[key].median, theirs[key].median)
      : times(theirs[key].median, ours[key].median)
  ]
  const cost = [
    both('server CPU', 'serverCores', '%', 100),
    both('server CPU for each delivery', 'serverSecondsPerDelivery', 'µs', 1e6),
    both('server memory', 'serverBytes', 'MB', 1e-6)
  ]
  const deliveries = label => both(label, 'deliveriesPerSecond', '/s', 1, true)
  const latency = [both('latency p50', 'p50', 'ms', 1), both('latency p99', 'p99', 'ms', 1)]
  switch (name) {
    case 'most':
      return [[`**${shapeText(shape)}**`, '', '', ''],
        deliveries('most deliveries with p99 ≤ 50 ms'), ...cost]
    case 'closed':
      return [[`*each writer with ${window} updates under way*`, '', '', ''],
        deliveries('deliveries'), ...latency, ...cost]
    default: {
      const due = `${separated(rate * (shape.clients - 1))} deliveries/s`
      const title = name === 'one'
        ? `**${shapeText(shape)}, ${rate / shape.writers} keys/s each: ${due}**`
        : `*at ${due}*`
      return [[title, '', '', ''], ...latency, ...cost]
    }
  }
}

function renderFanout(results, run) {
  return [
    `| Server: Palimpsest and @y/websocket-server ${run.websocketServer} | Palimpsest | y-websocket | better by |`,
    '| :- | -: | -: | -: |',
    ...results.flatMap(fanoutRows).map(row)
  ]
}

function storageRow({ title, hasRealTimes, updates, rawBytes, historyBytes, packMilliseconds, indexBytes,
  indexMilliseconds, open, read, peers }) {
  const each = bytes => `${significant(bytes / updates)} B`
  const peer = bytes => bytes ? each(bytes) : ''
  return [
    `${title}: ${separated(updates)} updates, ${hasRealTimes ? 'at their times' : '120 ms apart'}`,
    each(historyBytes), each(rawBytes), times(rawBytes, historyBytes), peer(peers?.yLeveldb), peer(peers?.hocuspocus),
    cell(open, 'ms'),
    cell(read, 'ms'),
    `${significant(packMilliseconds * 1000 / updates)} µs`,
    `${significant(indexBytes / 1000)} kB`,
    `${significant(indexMilliseconds.first)} ms, ${significant(indexMilliseconds.again)} ms`
  ]
}

function renderStorage(results) {
  return [
    '| History on disk, for each update | Palimpsest | the updates alone, each with its length | smaller by | y-leveldb, without times and authors | Hocuspocus with SQLite, the last state only | cold open | reading all | packing, each | search index, in all | indexing, again after a change |',
    '| :- | -: | -: | -: | -: | -: | -: | -: | -: | -: | -: |',
    ...results.map(result => row(storageRow(result)))
  ]
}

const historyRows = [
  ['open the timeline, cold', ({ cold }) => `${significant(cold.timeline)} ms`],
  ['the same with 4,000 changes more than are kept ready', ({ cold }) => `${significant(cold.timelineBehind)} ms`],
  ['the same from the log alone', ({ cold }) => `${significant(cold.timelineOfLog)} ms`],
  ['text at any moment, cold', ({ cold }) => `${significant(cold.textAt)} ms`],
  ['kept ready for that, on disk', ({ cold }) => `${significant(cold.keptBytes / 1e6)} MB`],
  ['weave the log in memory', ({ open, weave }) => `${significant(open + weave)} ms`],
  ['text at any moment, longest', ({ textAt, textAtLongest }) =>
    `${significant(textAt)} ms, ${significant(textAtLongest)} ms`],
  ['difference of two moments, longest', ({ diff, diffLongest }) =>
    `${significant(diff)} ms, ${significant(diffLongest)} ms`],
  ['search over all time, longest', ({ search, searchLongest }) =>
    `${significant(search)} ms, ${significant(searchLongest)} ms`],
  ['weave for the browser', ({ weaveBytes, textBytes }) =>
    `${significant(weaveBytes / 1e6)} MB, ${significant(weaveBytes / textBytes)} × its text`],
  ['memory', ({ memoryBytes }) => `${significant(memoryBytes / 1e6)} MB`]
]

function renderHistory(results) {
  return [
    `| History, processor time | ${results.map(({ title }) => title).join(' | ')} |`,
    `| :- | ${results.map(() => '-:').join(' | ')} |`,
    ...historyRows.map(([label, figure]) => row([label, ...results.map(({ figures }) => figure(figures))]))
  ]
}

function renderDurability({ written, acknowledged, rate, documents, restart }, run) {
  return [
    '| Saved means on disk | |',
    '| :- | -: |',
    row(['small updates from 200 writers in 100 documents, merged, written, acknowledged', cell(written.updatesPerSecond, '/s')]),
    row([`rows with the same bytes by SQLite alone, ${separated(written.rawInsertsEach.median)} in a transaction`,
      cell(written.rawInsertsPerSecond, '/s')]),
    row(['a durable write of 4 KiB by the disk alone', cell(run.durableWrite, 'ms')]),
    row([`acknowledged at ${separated(rate)} edits/s: p50`, cell(acknowledged.ackP50, 'ms')]),
    row(['p99', cell(acknowledged.ackP99, 'ms')]),
    row([`start with ${separated(documents)} documents, until ready`, cell(restart, 'ms')])
  ]
}

function about(run, crdt, fanout) {
  const sentences = [
    `${run.date}, revision ${run.revision}; ${run.processor}, ${significant(run.memoryBytes / 2 ** 30, 2)} GiB;`,
    `${run.system}; ${run.compiler}; Node ${run.node}.`,
    'Medians (least–most) of runs after a warm-up, each pinned to one core; every result was checked.'
  ]
  if (crdt !== undefined) sentences.push(...aboutCrdt(crdt))
  if (fanout.length > 0) {
    const share = Math.max(...fanout.flatMap(({ ours, theirs }) => [ours.ownCores.most, theirs.ownCores.most]))
    sentences.push(
      'Palimpsest has every update on disk before it passes it on (here a durable write by itself takes',
      `${cell(run.durableWrite, 'ms')}); @y/websocket-server keeps nothing.`,
      'A delivery is one update that reaches one other client; latency is from when it was due.',
      `The load generator, on a core of its own, took at most ${significant(share * 100, 2)} % of it. No limit was raised.`)
  }
  if (!run.recorded) sentences.push('**Made-up typing: no recorded traces were given.**')
  if (run.quick) sentences.push('**A quick run: not for comparing.**')
  if (run.loadBefore > 0.5) sentences.push(`**Other programs were running: load ${run.loadBefore.toFixed(1)} at the start.**`)
  return sentences.join('\n')
}

export function render({ run, crdt, storage, history, durability, fanout }) {
  const parts = []
  if (crdt !== undefined) parts.push(renderCrdt(crdt))
  if (storage.length > 0) parts.push(renderStorage(storage).join('\n'))
  if (history.length > 0) parts.push(renderHistory(history).join('\n'))
  if (durability !== undefined) parts.push(renderDurability(durability, run).join('\n'))
  if (fanout.length > 0) parts.push(renderFanout(fanout, run).join('\n'))
  parts.push(about(run, crdt, fanout))
  return parts.join('\n\n')
}

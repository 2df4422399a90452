import { cell, row, separated, significant, times } from './format.mjs'

/**
 * The figures of the CRDT as tables.
 *
 * @typedef {import('./crdt.mjs').CrdtResult} CrdtResult
 */

const caseLabels = {
  apply: ({ updates }) => `apply ${separated(updates)} updates one by one, read the text`,
  load: () => 'load the merged document, read the text',
  load_v2: () => 'the same in update format v2',
  encode: () => 'encode the whole state',
  diff: () => 'encode the difference to half-way',
  local: () => 'edit by index, one transaction and one update each',
  memory: () => 'memory of the loaded document'
}

const constructedLabels = {
  apply: ({ updates }) => `apply ${separated(updates)} updates one by one`,
  load: () => 'load them merged'
}

const labelsOf = group => group === 'constructed' ? constructedLabels : caseLabels

/** What a figure is compared by: milliseconds or bytes. */
const valueOf = figure => figure?.median ?? figure?.bytes

/** `reference` × better than `figure`; what was over the limit is at least that much worse. */
function comparison(figure, reference) {
  if (figure === undefined || reference === undefined) return '–'
  if (reference.over !== undefined) return `> ${times(reference.over * 1000, valueOf(figure))}`
  return reference.failed ? '–' : times(valueOf(reference), valueOf(figure))
}

function withRange(figure) {
  if (figure === undefined) return '–'
  return figure.bytes === undefined ? cell(figure, 'ms') : `${significant(figure.bytes / 1e6)} MB`
}

/** The median alone; the unit stands in the row's label. */
function short(figure) {
  if (figure === undefined) return '–'
  if (figure.over !== undefined) return `> ${separated(figure.over * 1000)}`
  if (figure.failed) return 'failed'
  return significant(figure.bytes === undefined ? figure.median : figure.bytes / 1e6)
}

export function bestPeer({ engines, ours }, figures, name) {
  const peers = engines
    .filter(({ id }) => id !== ours)
    .map(engine => ({ engine, figure: figures[engine.id]?.[name] }))
    .filter(({ figure }) => valueOf(figure) !== undefined)
  return peers.reduce((best, peer) => best && valueOf(best.figure) <= valueOf(peer.figure) ? best : peer, undefined)
}

/** The rows of an input: its name, and each case that somebody could do. */
function rowsOf(result, columns, cellsOf) {
  const rows = Object.entries(labelsOf(result.group))
    .filter(([name]) => Object.values(result.figures).some(figures => figures[name] !== undefined))
    .map(([name, label]) => [label(result), ...cellsOf(name)])
  return [[`**${result.title}**`, ...Array(columns).fill('')], ...rows].map(row)
}

function renderRatios(crdt) {
  const label = id => crdt.engines.find(engine => engine.id === id).label
  const rows = crdt.results.flatMap(result => rowsOf(result, 5, name => {
    const figure = id => result.figures[id]?.[name]
    const own = figure(crdt.ours)
    const limit = own?.decoding
    const best = bestPeer(crdt, result.figures, name)
    return [
      withRange(own),
      own && limit ? `${times(own.median, limit.median)} of ${significant(limit.median)} ms` : '',
      own && best ? `${comparison(own, best.figure)} ${best.engine.label}` : '–',
      comparison(own, figure(crdt.yrs)),
      comparison(own, figure(crdt.yjs))
    ]
  }))
  return [
    row(['CRDT', 'Palimpsest', 'only decoding', 'better than the best other by', `than ${label(crdt.yrs)}`, `than ${label(crdt.yjs)}`]),
    '| :- | -: | -: | -: | -: | -: |',
    ...rows
  ]
}

const unitOf = name => name === 'memory' ? 'MB' : 'ms'

function renderMedians({ engines, results }) {
  const rows = results.flatMap(result => rowsOf(result, engines.length + 1,
    name => [unitOf(name), ...engines.map(({ id }) => short(result.figures[id]?.[name]))]))
  return [
    row(['Medians of all', '', ...engines.map(({ label }) => label)]),
    `| :- | :- |${' -: |'.repeat(engines.length)}`,
    ...rows
  ]
}

/** k where a time grows as n^k from a tenth of the edits to all of them; n log n shows as about 1.1. */
function exponent(figure, tenth) {
  return figure?.median && tenth?.median ? Math.log10(figure.median / tenth.median).toFixed(2) : '–'
}

function renderGrowth(crdt) {
  const ids = [crdt.ours, crdt.yrs, crdt.yjs]
  const rows = crdt.results.filter(({ tenth }) => tenth !== undefined).map(({ title, figures, tenth }) => row([
    title,
    ...['apply', 'load'].flatMap(name => ids.map(id => exponent(figures[id]?.[name], tenth[id]?.[name])))
  ]))
  const labels = ids.map(id => crdt.engines.find(engine => engine.id === id).label)
  return [
    row(['Growth: k where the time grows as n^k up to this n', ...['apply', 'load'].flatMap(name => labels.map(label => `${name}, ${label}`))]),
    `| :- |${' -: |'.repeat(2 * ids.length)}`,
    ...rows
  ]
}

/** @param {CrdtResult} crdt */
export function renderCrdt(crdt) {
  return [renderRatios(crdt), renderMedians(crdt), renderGrowth(crdt)].map(lines => lines.join('\n')).join('\n\n')
}

/** What a reader of the tables has to know. */
export function aboutCrdt(crdt) {
  return [
    'The times of the CRDT are processor time. All engines had the same edits; those that do not speak Yjs, in their own format.',
    '“> ” stands for over the time limit; “–” for what an engine cannot do or what took too long with fewer edits already.',
    'Of all engines, the allocator of the system keeps what it was given back.',
    'Loro loads a snapshot, of which it decodes the text and puts off the history.',
    ...(crdt.hasNative ? [] : ['Native engines are missing: Rust or its crates are not there. ywasm stands in for yrs.'])
  ]
}

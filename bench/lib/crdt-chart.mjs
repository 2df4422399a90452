import { separated, significant } from './format.mjs'

/**
 * The figures of one input as a drawing: a panel for each case, a bar for each engine. Lengths are
 * logarithmic, since the engines lie powers of ten apart; each power has its line.
 */

const panelCases = [
  { name: 'apply', title: ({ updates }) => `Receive ${separated(updates)} edits one by one` },
  { name: 'load', title: () => 'Load the document' },
  { name: 'local', title: ({ updates }) => `Make ${separated(updates)} edits by index` },
  { name: 'memory', title: () => 'Memory of the loaded document' }
]

const columns = 2
const margin = 28
const gap = 44
const panelWidth = 440
const labelWidth = 190
const valueWidth = 74
const barsWidth = panelWidth - labelWidth - valueWidth
const rowHeight = 22
const barHeight = 12
const titleHeight = 30
const axisHeight = 26
const headHeight = 62
const footHeight = 30

// The colours of the web client.
const style = `
  .paper { fill: #fbfaf7 } .ink { fill: #1f1d1a } .muted { fill: #6d6860 }
  .line { stroke: #e7e3db } .bar { fill: #c9c3b8 } .ours { fill: #1d6a5c }
  text { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif }
  .head { font-size: 17px; font-weight: 600 } .title { font-weight: 600 } .small { font-size: 11px }
  .strong { font-weight: 600 }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #191816 } .ink { fill: #ece9e2 } .muted { fill: #98938a }
    .line { stroke: #322f2a } .bar { fill: #5d584f } .ours { fill: #6cc7b2 }
  }`

const escaped = text => text.replace(/[&<>"]/g, sign => `&#${sign.charCodeAt(0)};`)

/** An element; `attributes` in the order given. */
function element(name, attributes, content = '') {
  const written = Object.entries(attributes).map(([key, value]) => ` ${key}="${escaped(String(value))}"`).join('')
  return content === '' ? `<${name}${written}/>` : `<${name}${written}>${content}</${name}>`
}

const text = (x, y, className, words, anchor = 'start') =>
  element('text', { x, y, class: className, 'text-anchor': anchor }, escaped(words))

const rounded = value => Number(value.toFixed(1))

const milliseconds = (value, digits) =>
  value >= 1000 ? `${significant(value / 1000, digits)} s` : `${significant(value, digits)} ms`
const bytes = (value, digits) => `${significant(value / 1e6, digits)} MB`

/** What a bar stands for; those over the limit reach the end. */
function bars(crdt, figuresOf, name) {
  return crdt.engines
    .filter(({ isDrawn }) => isDrawn)
    .map(({ id, label }) => ({ id, label, figure: figuresOf[id]?.[name] }))
    .filter(({ figure }) => figure !== undefined && !figure.failed)
    .map(({ id, label, figure: { median, bytes: size, over } }) => ({
      label,
      isOurs: id === crdt.ours,
      value: median ?? size ?? over * 1000,
      isOver: over !== undefined
    }))
    .sort((a, b) => a.value - b.value)
}

/** Powers of ten around all values. */
function scaleOf(values) {
  const from = Math.floor(Math.log10(Math.min(...values)) - 0.3)
  const to = Math.max(from + 1, Math.ceil(Math.log10(Math.max(...values))))
  return {
    at: value => rounded(((Math.log10(value) - from) / (to - from)) * barsWidth),
    powers: Array.from({ length: to - from + 1 }, (_, i) => 10 ** (from + i))
  }
}

function panel(title, rows, unit) {
  const scale = scaleOf(rows.map(({ value }) => value))
  const bottom = titleHeight + rows.length * rowHeight
  const lines = scale.powers.flatMap(power => {
    const x = labelWidth + scale.at(power)
    return [
      element('line', { x1: x, x2: x, y1: titleHeight - 4, y2: bottom, class: 'line' }),
      text(x, bottom + 15, 'muted small', unit(power, 1), 'middle')
    ]
  })
  const drawn = rows.flatMap(({ label, isOurs, value, isOver }, i) => {
    const y = titleHeight + i * rowHeight
    const length = Math.max(2, scale.at(value))
    const words = `${isOver ? '> ' : ''}${unit(value)}`
    return [
      text(labelWidth - 10, y + barHeight - 1, isOurs ? 'ink strong' : 'ink', label, 'end'),
      element('rect', { x: labelWidth, y, width: length, height: barHeight, rx: 2, class: isOurs ? 'ours' : 'bar' }),
      text(labelWidth + length + 7, y + barHeight - 1, isOurs ? 'ink strong' : 'muted', words)
    ]
  })
  return [text(0, 14, 'ink title', title), ...lines, ...drawn].join('\n')
}

/**
 * @param {import('./crdt.mjs').CrdtResult} crdt
 * @returns {string} an SVG of the first input
 */
export function drawCrdt(crdt) {
  const [result] = crdt.results
  const panels = panelCases
    .map(({ name, title }) => ({
      title: title(result),
      rows: bars(crdt, result.figures, name),
      unit: name === 'memory' ? bytes : milliseconds
    }))
    .filter(({ rows }) => rows.length > 0)
  const panelHeight = titleHeight + axisHeight + rowHeight * Math.max(...panels.map(({ rows }) => rows.length))
  const place = i => [
    margin + (i % columns) * (panelWidth + gap),
    headHeight + Math.floor(i / columns) * (panelHeight + gap / 2)
  ]
  const width = 2 * margin + columns * panelWidth + (columns - 1) * gap
  const height = place(panels.length - 1)[1] + panelHeight + footHeight
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(result.title)}: time and memory of CRDT engines">`,
    `<style>${style}\n</style>`,
    element('rect', { width, height, rx: 10, class: 'paper' }),
    text(margin, 36, 'ink head', result.title),
    text(width - margin, 36, 'muted', 'shorter is better; each line is ten times the one before', 'end'),
    ...panels.map(({ title, rows, unit }, i) =>
      element('g', { transform: `translate(${place(i).join(' ')})` }, `\n${panel(title, rows, unit)}\n`)),
    text(margin, height - 14, 'muted small', 'Medians of processor time on one core; every engine’s text was checked.'),
    '</svg>\n'
  ].join('\n')
}

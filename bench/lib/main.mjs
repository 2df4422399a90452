import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { drawCrdt } from './crdt-chart.mjs'
import { measureCrdt } from './crdt.mjs'
import { measureDurability } from './durability.mjs'
import { measureFanout } from './fanout.mjs'
import { measureHistory } from './history.mjs'
import { describeRun } from './machine.mjs'
import { measureStorage } from './storage.mjs'
import { render } from './table.mjs'

/** What bench/run does once everything is built. */

const parts = ['crdt', 'storage', 'history', 'durability', 'fanout']

const measures = (part, { only }) => only === undefined || only === part

function parse() {
  try {
    const { values } = parseArgs({
      options: {
        traces: { type: 'string' },
        only: { type: 'string' },
        json: { type: 'string' },
        svg: { type: 'string' },
        large: { type: 'boolean', default: false },
        quick: { type: 'boolean', default: false }
      }
    })
    if (values.only !== undefined && !parts.includes(values.only)) {
      throw new Error(`--only takes ${parts.join(', ')}, not ${values.only}`)
    }
    if (values.large && values.traces === undefined) throw new Error('--large needs --traces')
    if (values.svg !== undefined && !measures('crdt', values)) throw new Error('--svg draws the CRDT')
    return values
  } catch (error) {
    console.error(`bench/run: ${error.message}`)
    process.exit(2)
  }
}

const options = parse()
const result = { run: await describeRun(options), crdt: undefined, storage: [], history: [], durability: undefined, fanout: [] }
try {
  if (measures('crdt', options)) result.crdt = await measureCrdt(options)
  if (measures('storage', options)) result.storage = measureStorage(options)
  if (measures('history', options)) result.history = await measureHistory(options)
  if (measures('durability', options)) result.durability = await measureDurability(options)
  if (measures('fanout', options)) result.fanout = await measureFanout(options)
} catch (error) {
  console.error(`bench/run: ${error.message}`)
  process.exit(1)
}
if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(result, null, 2)}\n`)
if (options.svg !== undefined) writeFileSync(options.svg, drawCrdt(result.crdt))
console.log(render(result))

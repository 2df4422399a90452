import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { drawCrdt } from './crdt-chart.mjs'
import { measureCrdt } from './crdt.mjs'
import { measureFanout } from './fanout.mjs'
import { measureHistory } from './history.mjs'
import { describeRun } from './machine.mjs'
import { render } from './table.mjs'

/** What bench/run does once everything is built. */

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
    if (values.only !== undefined && !['crdt', 'history', 'fanout'].includes(values.only)) {
      throw new Error(`--only takes crdt, history or fanout, not ${values.only}`)
    }
    if (values.large && values.traces === undefined) throw new Error('--large needs --traces')
    if (values.svg !== undefined && (values.only ?? 'crdt') !== 'crdt') throw new Error('--svg draws the CRDT')
    return values
  } catch (error) {
    console.error(`bench/run: ${error.message}`)
    process.exit(2)
  }
}

const options = parse()
const result = { run: await describeRun(options), crdt: undefined, history: [], fanout: [] }
try {
  const wants = part => (options.only ?? part) === part
  if (wants('crdt')) result.crdt = await measureCrdt(options)
  if (wants('history')) result.history = await measureHistory(options)
  if (wants('fanout')) result.fanout = await measureFanout(options)
} catch (error) {
  console.error(`bench/run: ${error.message}`)
  process.exit(1)
}
if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(result, null, 2)}\n`)
if (options.svg !== undefined) writeFileSync(options.svg, drawCrdt(result.crdt))
console.log(render(result))

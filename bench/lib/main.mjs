import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { measureCrdt } from './crdt.mjs'
import { measureFanout } from './fanout.mjs'
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
        quick: { type: 'boolean', default: false }
      }
    })
    if (values.only !== undefined && !['crdt', 'fanout'].includes(values.only)) {
      throw new Error(`--only takes crdt or fanout, not ${values.only}`)
    }
    return values
  } catch (error) {
    console.error(`bench/run: ${error.message}`)
    process.exit(2)
  }
}

const options = parse()
const result = { run: await describeRun(options), crdt: [], fanout: [] }
try {
  if (options.only !== 'fanout') result.crdt = await measureCrdt(options)
  if (options.only !== 'crdt') result.fanout = await measureFanout(options)
} catch (error) {
  console.error(`bench/run: ${error.message}`)
  process.exit(1)
}
if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(result, null, 2)}\n`)
console.log(render(result))

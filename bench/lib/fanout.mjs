import { summarizeRuns, underLoad } from './load.mjs'
import { startPalimpsest, startWebsocketServer } from './servers.mjs'

/** The servers under load: how much, how fast, and at what cost. */

const many = { documents: 50, clients: 4, writers: 2 }
const one = { documents: 1, clients: 50, writers: 50 }

/**
 * One of: `within`, in milliseconds, looks for the highest rate at which 99 % arrive as fast; `rate`,
 * in updates a second of all writers together, of which each reaches clients − 1 others; `window`,
 * how many updates each writer has under way. The names are those of the JSON.
 */
const cases = [
  { name: 'most', shape: many, within: 50, warmUp: 0.5, seconds: 2 },
  { name: 'closed', shape: many, window: 32, warmUp: 1, seconds: 4 },
  { name: 'at 1,000', shape: many, rate: 1000, warmUp: 1, seconds: 4 },
  { name: 'at 5,000', shape: many, rate: 5000, warmUp: 1, seconds: 4 },
  { name: 'at 10,000', shape: many, rate: 10000, warmUp: 1, seconds: 4 },
  { name: 'one', shape: one, rate: 500, warmUp: 1, seconds: 4 }
]

const quickCases = cases.filter(({ name }) => name !== 'most').map(each => ({ ...each, warmUp: 0.2, seconds: 0.5 }))

/** Ours and theirs take turns, so that what else goes on hits both. */
export async function measureFanout({ quick }) {
  const repetitions = quick ? 1 : 3
  const results = []
  for (const each of quick ? quickCases : cases) {
    console.error(`measuring the server: ${each.name}`)
    const ours = []
    const theirs = []
    for (let i = 0; i < repetitions; i++) {
      ours.push(await underLoad(startPalimpsest, each))
      theirs.push(await underLoad(startWebsocketServer, each))
    }
    results.push({ ...each, ours: summarizeRuns(ours), theirs: summarizeRuns(theirs) })
  }
  return results
}

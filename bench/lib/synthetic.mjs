/**
 * Editing that nobody did, in the form of the recorded traces (../peers/replay.mjs). The same
 * arguments give the same edits.
 */

/** A generator of numbers 0 ≤ x < 1 (mulberry32): the same seed, the same numbers. */
function randomNumbers(seed) {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

class Chance {
  #random

  constructor(seed) {
    this.#random = randomNumbers(seed)
  }

  below(bound) {
    return Math.floor(this.#random() * bound)
  }

  is(probability) {
    return this.#random() < probability
  }

  letter() {
    return String.fromCharCode(97 + this.below(26))
  }

  word(longest) {
    return Array.from({ length: 1 + this.below(longest) }, () => this.letter()).join('')
  }
}

/**
 * Somebody writes a text in bursts, rubs some of it out, and goes back to insert words: at least
 * `edits` patches of one character, in a text that has `length` characters before.
 */
function typing(edits, chance, length = 0) {
  const patches = []
  let caret = 0

  const type = () => {
    for (let i = 1 + chance.below(60); i > 0; i--) {
      patches.push([caret++, 0, chance.below(6) === 0 ? ' ' : chance.letter()])
      length++
    }
  }
  const rubOut = () => {
    for (let i = Math.min(caret, 1 + chance.below(30)); i > 0; i--) {
      patches.push([--caret, 1, ''])
      length--
    }
  }
  while (patches.length < edits) {
    // Mostly near the last place, now and then anywhere.
    caret = chance.is(0.7)
      ? Math.min(length, Math.max(0, caret + chance.below(200) - 100))
      : chance.below(length + 1)
    if (chance.is(0.7)) type()
    else rubOut()
  }
  return patches
}

const sequential = patches => ({ startContent: '', txns: [{ patches }] })

/** Of authors who know the start and none of the others: their patches, one transaction each. */
const concurrent = (startContent, numAgents, txns) =>
  ({ startContent, numAgents, txns: txns.map(([agent, patch]) => ({ agent, parents: [], patches: [patch] })) })

export const syntheticTrace = (edits, seed = 1) => sequential(typing(edits, new Chance(seed)))

/** Characters, each at a random place. */
export function randomInserts(count) {
  const chance = new Chance(2)
  return sequential(Array.from({ length: count },
    (_, length) => [chance.below(length + 1), 0, chance.letter()]))
}

/** Characters, each before all others. */
export function prepends(count) {
  const chance = new Chance(3)
  return sequential(Array.from({ length: count }, () => [0, 0, chance.letter()]))
}

/** Two write `count` words each, anywhere in their own text; the second's all come after the first's. */
export function concurrentRuns(count) {
  const chance = new Chance(4)
  const txns = [0, 1].flatMap(agent => {
    let length = 0
    return Array.from({ length: count }, () => {
      const word = chance.word(8)
      const position = chance.below(length + 1)
      length += word.length
      return [agent, [position, 0, word]]
    })
  })
  return concurrent('', 2, txns)
}

/** Eight take a text with them and make `count` edits each; their edits come in turns. */
export function branches(count) {
  const chance = new Chance(5)
  const start = Array.from({ length: 1_000 }, () => chance.word(8)).join(' ')
  const patches = Array.from({ length: 8 }, () => typing(count, chance, start.length).slice(0, count))
  const txns = Array.from({ length: count }, (_, i) => patches.map((each, agent) => [agent, each[i]])).flat()
  return concurrent(start, 8, txns)
}

/** `clients` insert `each` characters between the same two, each before their last; one after the other. */
export function flood(clients, each) {
  const chance = new Chance(6)
  const txns = Array.from({ length: clients },
    (_, agent) => Array.from({ length: each }, () => [agent, [1, 0, chance.letter()]])).flat()
  return concurrent('<>', clients, txns)
}

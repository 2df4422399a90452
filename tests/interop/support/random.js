/**
 * A seeded source of randomness (splitmix32): the same seed gives the same run on every machine.
 */
export class Random {
  #state

  /** @param {number} seed any integer */
  constructor(seed) {
    this.#state = (Math.imul(seed, 0x9e3779b1) ^ 0x5bd1e995) >>> 0
  }

  #next() {
    this.#state = (this.#state + 0x9e3779b9) >>> 0
    let x = this.#state
    x = Math.imul(x ^ (x >>> 16), 0x21f0aaad)
    x = Math.imul(x ^ (x >>> 15), 0x735a2d97)
    return (x ^ (x >>> 15)) >>> 0
  }

  /** A number from 0 up to, but without, 1. */
  unit() {
    return this.#next() / 2 ** 32
  }

  /** An integer from `low` to `high`, both included. */
  integer(low, high) {
    return low + Math.floor(this.unit() * (high - low + 1))
  }

  /** True `share` of the time. */
  chance(share) {
    return this.unit() < share
  }

  pick(list) {
    return list[this.integer(0, list.length - 1)]
  }

  /** The value of one `[weight, value]`, in proportion to the weights. */
  weighted(choices) {
    let rest = this.unit() * choices.reduce((sum, [weight]) => sum + weight, 0)
    for (const [weight, value] of choices) {
      rest -= weight
      if (rest < 0) return value
    }
    return choices.at(-1)[1]
  }

  shuffle(list) {
    for (let i = list.length - 1; i > 0; i--) {
      const j = this.integer(0, i)
      ;[list[i], list[j]] = [list[j], list[i]]
    }
    return list
  }

  bytes(length) {
    return Uint8Array.from({ length }, () => this.integer(0, 255))
  }
}

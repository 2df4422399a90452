/**
 * Typing that nobody did, for where there is no recording: somebody writes a text in bursts, rubs
 * some of it out, and goes back to insert words.
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

/** A sequential trace in the form of the recorded ones. */
export function syntheticTrace(edits, seed = 1) {
  const random = randomNumbers(seed)
  const below = bound => Math.floor(random() * bound)
  const patches = []
  let length = 0
  let caret = 0

  const type = () => {
    for (let i = 1 + below(60); i > 0; i--) {
      patches.push([caret++, 0, below(6) === 0 ? ' ' : String.fromCharCode(97 + below(26))])
      length++
    }
  }
  const rubOut = () => {
    for (let i = Math.min(caret, 1 + below(30)); i > 0; i--) {
      patches.push([--caret, 1, ''])
      length--
    }
  }
  while (patches.length < edits) {
    // Mostly near the last place, now and then anywhere.
    caret = random() < 0.7 ? Math.min(length, Math.max(0, caret + below(200) - 100)) : below(length + 1)
    if (random() < 0.7) type()
    else rubOut()
  }
  return { startContent: '', txns: [{ patches }] }
}

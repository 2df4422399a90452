/** The answer of `promise`, or an error that says what did not happen in time. */
export async function within(milliseconds, what, promise) {
  let timer
  const late = new Promise((_, fail) => {
    timer = setTimeout(() => fail(new Error(`not within ${milliseconds} ms: ${what}`)), milliseconds)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

export const pause = milliseconds => new Promise(done => setTimeout(done, milliseconds))

/** Looks again and again until `condition` holds. */
export async function until(what, condition, milliseconds = 15_000) {
  const deadline = performance.now() + milliseconds
  while (!await condition()) {
    if (performance.now() > deadline) {
      throw new Error(`not within ${milliseconds} ms: ${typeof what === 'function' ? what() : what}`)
    }
    await pause(10)
  }
}

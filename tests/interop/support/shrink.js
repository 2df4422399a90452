/**
 * A shorter list that still fails: takes away ever smaller pieces as long as `fails` stays true.
 *
 * @template T
 * @param {T[]} list one for which `fails` is true
 * @param {(list: T[]) => Promise<boolean>} fails
 * @param {number} most how often to try
 */
export async function shrink(list, fails, most = 300) {
  let size = Math.ceil(list.length / 2)
  while (size >= 1 && most > 0) {
    let removed = false
    for (let start = 0; start < list.length && most > 0; most--) {
      const shorter = [...list.slice(0, start), ...list.slice(start + size)]
      if (shorter.length > 0 && await fails(shorter)) {
        list = shorter
        removed = true
      } else {
        start += size
      }
    }
    if (!removed || size > 1) size = size === 1 && !removed ? 0 : Math.max(1, Math.floor(size / 2))
  }
  return list
}

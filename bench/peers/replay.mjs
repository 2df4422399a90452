/**
 * @typedef {[position: number, deleted: number, inserted: string]} Patch
 * @typedef {{ agent?: number, parents?: number[], patches: Patch[] }} Transaction
 *   Of an author, on the document after merging the transactions `parents`; those of the one author
 *   of a sequential trace follow each other
 * @typedef {{ startContent?: string, endContent?: string, numAgents?: number, txns: Transaction[] }} Trace
 *   In the form of github.com/josephg/editing-traces
 */

/** @param {Trace} trace */
export const authors = trace => trace.numAgents ?? 1

/** The patches that do anything. */
export const effective = patches => patches.filter(([, deleted, inserted]) => deleted > 0 || inserted !== '')

/**
 * All edits of a trace of one author.
 *
 * @param {Trace} trace
 * @returns {Patch[]}
 */
export function editsOf(trace) {
  const start = trace.startContent ? [[0, 0, trace.startContent]] : []
  return [...start, ...trace.txns.flatMap(({ patches }) => effective(patches))]
}

/**
 * Replays a trace by replicas of an engine: the update of each edit, in the order of the trace,
 * which is one in which a server could have received them.
 *
 * Client ids are small, as in published measurements of these traces; real ones are random and take
 * five bytes.
 *
 * @param {Trace} trace
 * @param {typeof import('./replica.d.ts').Replica} Replica
 */
export function replay(trace, Replica) {
  const { startContent, txns } = trace
  const updates = []
  const updatesOf = [] // transaction → its updates
  const edit = (author, patches) => effective(patches).map(patch => author.replica.edit(...patch))

  const lastOf = new Map(txns.map(({ agent = 0 }, index) => [agent, index]))
  const present = new Map() // those who still have something to write; there may be thousands
  const join = agent => {
    const author = { replica: new Replica(agent + 1), knows: new Set() }
    present.set(agent, author)
    if (!startContent) return author
    if (updates.length > 0) author.replica.receive(updates[0])
    else updates.push(...edit(author, [[0, 0, startContent]]))
    return author
  }

  txns.forEach(({ agent = 0, parents, patches }, index) => {
    const author = present.get(agent) ?? join(agent)
    for (const missing of unknownAncestors(trace, parents ?? [], author.knows)) {
      for (const update of updatesOf[missing]) author.replica.receive(update)
      author.knows.add(missing)
    }
    updatesOf[index] = edit(author, patches)
    author.knows.add(index)
    updates.push(...updatesOf[index])
    if (lastOf.get(agent) === index) {
      author.replica.free()
      present.delete(agent)
    }
  })
  return updates
}

/** Oldest first: a transaction comes after its parents in a trace. */
function unknownAncestors(trace, parents, known) {
  const found = new Set()
  const stack = [...parents]
  while (stack.length > 0) {
    const index = stack.pop()
    if (known.has(index) || found.has(index)) continue
    found.add(index)
    stack.push(...(trace.txns[index].parents ?? []))
  }
  return [...found].sort((a, b) => a - b)
}

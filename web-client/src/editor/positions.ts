import * as Y from 'yjs';

/** Where a relative position points: an item and how far into it, or an end of the text. */
type Target =
  | { readonly kind: 'offset'; readonly offset: number }
  | { readonly kind: 'item'; readonly item: Y.Item; readonly shift: number };

/** The item that holds this id now: undoing a deletion makes a new item for the old words. */
function itemAt(store: Y.Doc['store'], id: Y.ID): { item: Y.Item; diff: number } | null {
  let next: Y.ID | null = id;
  let diff = 0;
  let item: Y.Item | Y.GC | null = null;
  while (next !== null) {
    if (diff > 0) next = Y.createID(next.client, next.clock + diff);
    if (Y.getState(store, next.client) <= next.clock) return null;
    item = Y.getItem(store, next) as Y.Item | Y.GC;
    diff = next.clock - item.id.clock;
    next = item instanceof Y.Item ? item.redone : null;
  }
  return item instanceof Y.Item ? { item, diff } : null;
}

function targetOf(text: Y.Text, position: Y.RelativePosition): Target | null {
  const { item: id, tname, assoc } = position;
  if (id === null) {
    const root: unknown = tname === null ? text : text.doc?.share.get(tname);
    if (root !== text) return null;
    return { kind: 'offset', offset: assoc >= 0 ? text.length : 0 };
  }
  if (!text.doc) return null;
  const found = itemAt(text.doc.store, id);
  if (!found || found.item.parent !== text) return null;
  const { item, diff } = found;
  const counts = !item.deleted && item.countable;
  return { kind: 'item', item, shift: counts ? diff + (assoc >= 0 ? 0 : 1) : 0 };
}

/**
 * The offsets, in UTF-16 units, of many relative positions; null where one points into text that
 * has not come yet. One walk over the text for all of them.
 */
export function resolveAll(
  text: Y.Text,
  positions: readonly Y.RelativePosition[],
): (number | null)[] {
  const targets = positions.map((position) => targetOf(text, position));
  const starts = new Map<Y.Item, number>();
  for (const target of targets) if (target?.kind === 'item') starts.set(target.item, -1);
  let missing = starts.size;
  let offset = 0;
  for (let item = text._start; item !== null && missing > 0; item = item.right) {
    if (starts.has(item)) {
      starts.set(item, offset);
      missing -= 1;
    }
    if (!item.deleted && item.countable) offset += item.length;
  }
  return targets.map((target) => {
    if (target === null) return null;
    if (target.kind === 'offset') return target.offset;
    return (starts.get(target.item) ?? 0) + target.shift;
  });
}

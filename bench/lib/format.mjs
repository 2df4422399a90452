/** Figures as people read them. */

export const separated = integer => String(integer).replace(/\B(?=(\d{3})+$)/g, ',')

/** With that many digits that count, but no more than three behind the point. */
export function significant(value, digits = 3) {
  if (value === 0) return '0'
  const decimals = Math.min(3, digits - 1 - Math.floor(Math.log10(Math.abs(value))))
  return decimals > 0 ? value.toFixed(decimals) : separated(Number(value.toPrecision(digits)))
}

/** Median and range, with the unit of the row. */
export function cell({ median, least, most, runs }, unit, scale = 1) {
  const text = `${significant(median * scale)} ${unit}`
  return runs === 1 ? text : `${text} (${significant(least * scale)}–${significant(most * scale)})`
}

/** How many times the second the first is. */
export function times(value, reference) {
  return `${significant(value / reference, 2)} ×`
}

export const row = cells => `| ${cells.join(' | ')} |`

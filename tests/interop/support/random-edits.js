import { Y } from './yjs.js'

/**
 * One random edit of a document after another: every shared type, every kind of value, nested
 * types, text that is cut inside surrogate pairs. Only what any Yjs program could do.
 */

const syllables = ['a', 'be', 'lorem', ' ', '\n', 'ß', 'é', '日本', '🙂', '👩‍👩‍👧', '𝒳', 'x\u0301', '"<&>', '\u0000']

export const rootKinds = {
  text: 'text',
  'prose 🙂': 'text',
  array: 'array',
  map: 'map',
  xml: 'xml',
  hooks: 'array'
}

/** The root of that name, typed as this program uses it. */
export function typedRoot(doc, name) {
  switch (rootKinds[name]) {
    case 'text': return doc.getText(name)
    case 'array': return doc.getArray(name)
    case 'map': return doc.getMap(name)
    case 'xml': return doc.getXmlFragment(name)
  }
  throw new Error(`no such root: ${name}`)
}

export function randomString(random, most = 8) {
  let text = ''
  for (let i = random.integer(1, most); i > 0; i--) text += random.pick(syllables)
  return text
}

/** Every kind that lib0 can carry as `any`. */
export function randomValue(random, depth = 0) {
  const simple = [
    [4, () => random.integer(-100, 100)],
    [1, () => random.pick([0, -0, 2 ** 31 - 1, -(2 ** 31), 2 ** 31, 2 ** 53 - 1, -(2 ** 53) + 1, 63, 64, -64])],
    [2, () => random.pick([0.5, 1 / 3, -1.5e300, 5e-324, NaN, Infinity, -Infinity, Math.fround(0.1)])],
    [1, () => random.pick([0n, 1n, -1n, 2n ** 63n - 1n, -(2n ** 63n), 9007199254740993n])],
    [2, () => random.pick([true, false])],
    [1, () => null],
    [1, () => undefined],
    [4, () => (random.chance(0.1) ? '' : randomString(random))],
    [1, () => random.bytes(random.integer(0, 12))]
  ]
  const nested = [
    [2, () => Array.from({ length: random.integer(0, 3) }, () => randomValue(random, depth + 1))],
    [2, () => randomObject(random, depth + 1)]
  ]
  return random.weighted(depth < 3 ? [...simple, ...nested] : simple)()
}

export function randomObject(random, depth = 0) {
  const object = {}
  for (let i = random.integer(0, 3); i > 0; i--) object[randomKey(random)] = randomValue(random, depth + 1)
  return object
}

/** An object that survives JSON, which is how embeds travel. */
function randomEmbed(random) {
  return random.pick([
    { image: 'https://example.org/🙂.png' },
    { mention: { id: 7, name: randomString(random, 3) }, at: null },
    { formula: ['e', 2.71828, -0, { nested: [true, false] }], '10': 1 },
    {}
  ])
}

function randomKey(random) {
  return random.pick(['a', 'b', 'c', 'länge', '🙂', '', 'size', '7'])
}

export function randomAttributes(random, forText) {
  const attributes = {}
  const choices = [
    ['bold', [true, null]],
    ['italic', [true, null]],
    ['color', ['red', '#00ff00', null]],
    ['link', [{ href: 'https://example.org/?q=🙂' }, null]]
  ]
  // Y.XmlText writes attributes as XML, where only objects make sense.
  for (const [name, values] of random.shuffle(choices).slice(0, random.integer(1, 2))) {
    const value = random.pick(values)
    attributes[name] = forText || value === null ? value : { v: String(value) }
  }
  return attributes
}

/** A new shared type with content, not yet part of a document. */
function randomType(random, depth) {
  return random.weighted([
    [2, () => {
      const text = new Y.Text()
      text.insert(0, randomString(random))
      if (random.chance(0.5)) text.insert(0, randomString(random), randomAttributes(random, true))
      return text
    }],
    [2, () => Y.Array.from(randomArrayContent(random, depth + 1))],
    [2, () => {
      const map = new Y.Map()
      for (let i = random.integer(0, 3); i > 0; i--) map.set(randomKey(random), randomMapValue(random, depth + 1))
      return map
    }],
    [1, () => randomXml(random, depth + 1)]
  ])()
}

function randomXml(random, depth) {
  if (random.chance(0.4)) return new Y.XmlText(randomString(random))
  const element = new Y.XmlElement(random.pick(['p', 'H1', 'custom-tag']))
  for (let i = random.integer(0, 2); i > 0; i--) element.setAttribute(random.pick(['id', 'class', 'z']), randomString(random, 2))
  if (depth < 3) {
    element.insert(0, Array.from({ length: random.integer(0, 2) }, () => randomXml(random, depth + 1)))
  }
  return element
}

function randomSubdoc(random) {
  return new Y.Doc({
    guid: `sub-${random.integer(0, 1e9)}`,
    autoLoad: random.chance(0.3),
    gc: random.chance(0.7),
    meta: random.chance(0.3) ? { title: randomString(random) } : null
  })
}

function randomMapValue(random, depth) {
  return random.weighted([
    [8, () => randomValue(random)],
    [depth < 4 ? 3 : 0, () => randomType(random, depth)],
    [1, () => random.bytes(random.integer(0, 20))],
    [0.3, () => randomSubdoc(random)]
  ])()
}

function randomArrayContent(random, depth) {
  return Array.from({ length: random.integer(1, 4) }, () => {
    const value = randomMapValue(random, depth)
    // Y.Array takes these two only inside of something.
    return value === undefined || typeof value === 'bigint' ? [value] : value
  })
}

/** Whether index stands between the two halves of a character beyond the first 65,536. */
function isInsidePair(text, index) {
  const units = text.toDelta().map(({ insert }) => typeof insert === 'string' ? insert : '-').join('')
  return /^[\ud800-\udbff][\udc00-\udfff]$/.test(units.slice(index - 1, index + 1))
}

function editText(random, text, { cutPairs }) {
  const somewhere = (low, high) => {
    const index = random.integer(low, high)
    return !cutPairs && isInsidePair(text, index) ? index - 1 : index
  }
  const index = somewhere(0, text.length)
  const span = Math.max(0, somewhere(index, Math.min(text.length, index + 10)) - index)
  const forText = !(text instanceof Y.XmlText)
  random.weighted([
    [8, () => text.insert(index, randomString(random))],
    [3, () => text.insert(index, randomString(random), randomAttributes(random, forText))],
    [5, () => text.delete(index, span)],
    [4, () => text.format(index, span, randomAttributes(random, forText))],
    [forText ? 1 : 0, () => text.insertEmbed(index, randomEmbed(random))],
    [forText ? 0.5 : 0, () => text.insertEmbed(index, new Y.Map([['embedded', randomString(random)]]), { bold: true })],
    [forText ? 1 : 0, () => text.applyDelta([
      { retain: index, attributes: randomAttributes(random, forText) },
      { insert: randomString(random) },
      { delete: span }
    ].filter(op => op.retain !== 0 && op.delete !== 0))],
    [cutPairs ? 0.2 : 0, () => text.insert(index, '\ud83d')],
    [0.5, () => text.setAttribute('note', randomString(random, 2))]
  ])()
}

function editArray(random, array) {
  const index = random.integer(0, array.length)
  random.weighted([
    [6, () => array.insert(index, randomArrayContent(random, 0))],
    [4, () => array.delete(index, random.integer(0, Math.min(array.length - index, 4)))]
  ])()
}

function editMap(random, map) {
  random.weighted([
    [6, () => map.set(randomKey(random), randomMapValue(random, 0))],
    [2, () => map.delete(randomKey(random))],
    [0.2, () => map.clear()]
  ])()
}

function editXml(random, fragment) {
  const index = random.integer(0, fragment.length)
  random.weighted([
    [5, () => fragment.insert(index, [randomXml(random, 0)])],
    [2, () => fragment.delete(index, random.integer(0, Math.min(fragment.length - index, 2)))],
    [fragment instanceof Y.XmlElement ? 3 : 0, () => fragment.setAttribute(random.pick(['id', 'class', 'z']), randomString(random, 2))],
    [fragment instanceof Y.XmlElement ? 1 : 0, () => fragment.removeAttribute(random.pick(['id', 'class', 'z']))]
  ])()
}

/** The shared types directly inside `type`, in a stable order. */
function childTypes(type) {
  const children = []
  if (type instanceof Y.XmlFragment || type instanceof Y.Array) children.push(...type.toArray())
  if (type instanceof Y.Map) children.push(...[...type.keys()].sort().map(key => type.get(key)))
  if (type instanceof Y.Text && !(type instanceof Y.XmlText)) children.push(...type.toDelta().map(op => op.insert))
  return children.filter(child => child instanceof Y.AbstractType)
}

/** These types and all that are nested in them. */
export function allTypes(types) {
  return types.flatMap(type => [type, ...allTypes(childTypes(type))])
}

function editType(random, type, options) {
  const children = childTypes(type)
  if (children.length > 0 && random.chance(0.5)) return editType(random, random.pick(children), options)
  if (type instanceof Y.Text) return editText(random, type, options)
  if (type instanceof Y.XmlHook) return editMap(random, type)
  if (type instanceof Y.XmlFragment) return editXml(random, type)
  if (type instanceof Y.Array) return editArray(random, type)
  if (type instanceof Y.Map) return editMap(random, type)
}

/**
 * One to three random edits below one of the roots, as one transaction.
 *
 * With `cutPairs` also in the middle of surrogate pairs. Yjs then replaces both halves where it
 * splits the text, even for an edit that comes to nothing and so tells nobody: what an update says
 * stays the same for all, but the replica that made it may read on its own what others don't.
 */
export function editDocument(random, doc, rootNames, { cutPairs = true } = {}) {
  doc.transact(() => {
    for (let i = random.weighted([[6, 1], [2, 2], [1, 3]]); i > 0; i--) {
      const name = random.pick(rootNames)
      if (name === 'hooks') {
        if (random.chance(0.5)) doc.getArray(name).insert(0, [new Y.XmlHook('hook')])
        else editType(random, doc.getArray(name), { cutPairs })
      } else {
        editType(random, typedRoot(doc, name), { cutPairs })
      }
    }
  })
}

/** Classes of values for the map: which class each segment is in, its colour, and what the legend says of it. */

import { placesFor, plain } from "../figures.js";
import { WORDS } from "../words.js";

/** What is not known has a colour of its own, which no class has. */
export const UNKNOWN = "#8c8c8c";
/** Segments that the filters leave out are still seen, faintly. */
export const FAINT = -1;
const ZERO = "#fff3c9";
// ColorBrewer YlOrBr and Blues (Brewer, Harrower) without their palest steps, PuOr; Paul Tol's 'muted': as in QGIS.
const RATES = ["#fec44f", "#fe9929", "#ec7014", "#cc4c02", "#8c2d04"];
const OTHERS = ["#9ecae1", "#6baed6", "#3182bd", "#08519c", "#08306b"];
const DIVERGING = ["#5e3c99", "#b2abd2", "#e3e0e0", "#fdb863", "#e66101"];
const MUTED = ["#cc6677", "#332288", "#ddcc77", "#117733", "#88ccee", "#882255", "#44aa99", "#999933", "#aa4499"];
const TYPED = new Set(["cluster", "cluster_found", "cluster_second"]);
const REST = "#4d4d4d";
const YES = "#08519c";
const NO = "#ddcc77";
const HIGHEST = [
  { share: 0.01, colour: "#7a0177", weight: 1.4 },
  { share: 0.001, colour: "#000000", weight: 1.8 },
];

/**
 * Put the values of all segments in classes.
 *
 * Gives {items: [{label, colour, weight, value?}], of: class of each row, notes: []}; `of` of what is not known is the
 * last item.
 */
export function classesOf(column, values, types) {
  if (TYPED.has(column.name)) return byType(values, types);
  if (column.kind === "flag") return byFlag(values);
  if (column.kind === "words") return byWord(values);
  return byNumber(values, column.outcome ? RATES : OTHERS);
}

const unknownItem = () => ({ label: WORDS.page.notKnown, colour: UNKNOWN, weight: 0.6 });

function put(values, place, items, notes = []) {
  const all = [...items, unknownItem()];
  const of = Int16Array.from(values, (value) => {
    const at = value === null || value === undefined ? -1 : place(value);
    return at < 0 ? items.length : at;
  });
  return { items: all, of, notes };
}

/** Give the colour of a type; one that is none gives way to that of its number. */
export function colourOf({ type, color }) {
  return /^#[0-9a-f]{6}$/i.test(color ?? "") ? color : MUTED[(((type - 1) % MUTED.length) + MUTED.length) % MUTED.length];
}

function byType(values, types) {
  const places = new Map(types.map(({ type }, at) => [type, at]));
  const items = types.map((type) => ({
    label: WORDS.map.typeName(type),
    colour: colourOf(type),
    weight: 1,
    value: type.type,
  }));
  const classes = put(values, (value) => places.get(value) ?? -1, items);
  classes.items.at(-1).label = WORDS.map.noType;
  return classes;
}

function byFlag(values) {
  const items = [
    { label: WORDS.page.yes, colour: YES, weight: 1.2 },
    { label: WORDS.page.no, colour: NO, weight: 0.8 },
  ];
  return put(values, (value) => (value ? 0 : 1), items);
}

function byWord(values) {
  const numbers = new Map();
  for (const value of values) if (value !== null) numbers.set(value, (numbers.get(value) ?? 0) + 1);
  const words = [...numbers].sort((one, other) => other[1] - one[1] || (one[0] < other[0] ? -1 : 1));
  const items = words.slice(0, MUTED.length).map(([word], at) => ({ label: String(word), colour: MUTED[at], weight: 1 }));
  const places = new Map(items.map((item, at) => [words[at][0], at]));
  if (words.length > MUTED.length) {
    items.push({ label: WORDS.map.otherWords(words.length - MUTED.length), colour: REST, weight: 0.8 });
  }
  return put(values, (value) => places.get(value) ?? MUTED.length, items);
}

function byNumber(values, colours) {
  const known = Float64Array.from(values.filter((value) => Number.isFinite(value))).sort();
  if (!known.length) return put(values, () => -1, [], [WORDS.map.nothingKnown]);
  const tops = highest(known);
  const notes = tops.notes;
  if (known[0] < 0) return put(values, ...signed(known), notes);
  const ends = endsOf(known, tops.borders, colours.length);
  const places = placesFor(ends.map(({ end }) => end));
  const positive = known.filter((value) => value > 0);
  const items = [];
  if (known[0] === 0) items.push({ end: 0, label: plain(0, 0), colour: ZERO, weight: 0.8 });
  const ramp = ends.filter(({ top }) => !top).length;
  ends.forEach(({ end, top }, at) => {
    const before = at ? ends[at - 1].end : 0;
    const least = positive[after(positive, before)];
    const range = least === end ? plain(end, places) : WORDS.page.range(plain(least, places), plain(end, places));
    const label = top ? WORDS.map.highest(top.share, range) : range;
    items.push({ end, label, colour: top?.colour ?? colours[colours.length - ramp + at], weight: top?.weight ?? 1 });
  });
  const borders = items.map(({ end }) => end);
  return put(values, (value) => (Number.isFinite(value) ? from(borders, value) : -1), items, notes);
}

/** Find the classes of the highest 1 % and 0.1 % of what is known, where any segment is above their borders. */
function highest(known) {
  const borders = [];
  const notes = [];
  for (const { share, ...look } of HIGHEST) {
    const rank = Math.ceil((1 - share) * known.length) - 1;
    const border = known[Math.max(rank, 0)];
    if (known.length * share < 1) notes.push(WORDS.map.tooFew(share));
    else if (border >= known.at(-1) || border <= 0) notes.push(WORDS.map.sameAtTop(share));
    else borders.push({ border, share, ...look });
  }
  return { borders, notes };
}

/** Give the upper ends of the classes: quantiles that occur, so that no class is empty, and the highest ones. */
function endsOf(known, tops, most) {
  const below = tops.length ? tops[0].border : known.at(-1);
  const positive = known.filter((value) => value > 0 && value <= below);
  const distinct = [...new Set(positive)];
  const quantile = (share) => positive[Math.max(0, Math.ceil(share * positive.length) - 1)];
  const inner = Array.from({ length: most - 1 }, (_, at) => quantile((at + 1) / most));
  const usual = positive.length ? (distinct.length <= most ? distinct : [...new Set([...inner, positive.at(-1)])]) : [];
  const ends = usual.map((end) => ({ end }));
  tops.forEach((top, at) => ends.push({ end: tops[at + 1]?.border ?? known.at(-1), top }));
  return ends;
}

/** Give classes that lie the same on both sides of 0: two below, one about it, two above. */
function signed(known) {
  const sizes = known.filter((value) => value !== 0).map(Math.abs).sort();
  const near = sizes[Math.ceil(sizes.length / 3) - 1];
  const far = sizes[Math.ceil((5 * sizes.length) / 6) - 1];
  const place = (value) => (value < -far ? 0 : value < -near ? 1 : value <= near ? 2 : value <= far ? 3 : 4);
  const places = Math.max(0, 1 - Math.floor(Math.log10(far)));
  const inside = DIVERGING.map(() => []);
  for (const value of known) inside[place(value)].push(value);
  const there = inside.map((held) => held.length > 0);
  const at = there.map((held, number) => (held ? there.slice(0, number).filter(Boolean).length : -1));
  const items = inside.flatMap((held, number) => {
    if (!held.length) return [];
    const label = WORDS.page.range(plain(held[0], places), plain(held.at(-1), places));
    return [{ label, colour: DIVERGING[number], weight: number === 2 ? 0.8 : 1.1 }];
  });
  return [(value) => (Number.isFinite(value) ? at[place(value)] : -1), items];
}

/** Give the place of the first value above a border, in sorted values. */
function after(sorted, border) {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] > border) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Give the place of the first end that is no less than a value. */
function from(ends, value) {
  let at = 0;
  while (ends[at] < value) at += 1;
  return at;
}

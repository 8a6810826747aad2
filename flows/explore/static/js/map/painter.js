/** Painting segments: which column, which classes, which segments the filters leave. */

import { UNKNOWN, classesOf } from "./classes.js";
import { channels } from "./drawing.js";
import { WORDS } from "../words.js";

/** The column that is counted here, of the collisions that the filters leave. */
export const FILTERED = "filtered_collisions";
const FAINT_LIGHT = "#c3c8ce";
const FAINT_DARK = "#4a5058";
const FAINT_WEIGHT = 0.35;

/** Tell whether the filters leave out collisions. */
export const filtersCollisions = ({ users, severities, years }) => Boolean(users.length || severities.length || years.length);

/** Give the columns that segments can be coloured by, with the one that is counted here. */
export function columnsOf(about) {
  const counted = { name: FILTERED, title: WORDS.map.filteredTitle, unit: "", kind: "number", outcome: true };
  return about.years?.length ? [...about.columns, counted] : about.columns;
}

/** Read what is needed to count the collisions that the filters leave. */
function countsPath({ users, severities, years }) {
  const said = new URLSearchParams();
  for (const [key, chosen] of Object.entries({ users, severities, years })) if (chosen.length) said.set(key, chosen.join(","));
  return `counts.json?${said}`;
}

/** Make what paints; `changed(painted)` is called after each painting. */
export function makePainter({ map, store, api, about, live, changed }) {
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const faint = channels(dark ? FAINT_DARK : FAINT_LIGHT);
  const columns = columnsOf(about);
  let before = new Int32Array(0);
  let turn = 0;
  let painted = null;

  const read = (name) => (columns.some((column) => column.name === name) ? api.once(`columns/${name}.json`) : null);

  async function values(column, filters) {
    if (column.name === FILTERED) return api.once(countsPath(filters));
    return api.once(`columns/${column.name}.json`);
  }

  async function leftBy({ type, filters }, n) {
    const left = new Uint8Array(n).fill(1);
    if (type !== null) {
      const types = await read("cluster");
      types?.forEach((value, row) => {
        if (value !== type) left[row] = 0;
      });
    }
    if (filters.classes.length) {
      const classes = await read("road_class");
      const wanted = new Set(filters.classes);
      classes?.forEach((value, row) => {
        if (!wanted.has(value)) left[row] = 0;
      });
    }
    return left;
  }

  /** Tell the map of the segments whose looks changed; the others keep theirs. */
  function tell(of, left, items) {
    const looks = items.map(({ colour, weight }) => [...channels(colour), weight]);
    if (before.length !== of.length) before = new Int32Array(of.length).fill(-2);
    const codes = looks.map(([r, g, b, w]) => (r << 16) + (g << 8) + b + Math.round(w * 10) * 2 ** 24);
    for (let row = 0; row < of.length; row += 1) {
      const code = left[row] ? codes[of[row]] : -1;
      if (before[row] === code) continue;
      before[row] = code;
      const [r, g, b, w] = left[row] ? looks[of[row]] : [...faint, FAINT_WEIGHT];
      map.setFeatureState({ source: "segments", sourceLayer: "segments", id: row }, { r, g, b, w, s: left[row] });
    }
  }

  async function paint() {
    const mine = (turn += 1);
    const { colour, type, filters } = store.get();
    const column = columns.find(({ name }) => name === colour) ?? columns[0];
    let read;
    try {
      read = await values(column, filters);
    } catch (error) {
      live(`${WORDS.page.refused}: ${error.message}`);
      throw error;
    }
    const left = await leftBy({ type, filters }, read.length);
    if (mine !== turn) return;
    const classes = classesOf(column, read, about.types);
    tell(classes.of, left, classes.items);
    painted = { column, values: read, left, ...classes, n: left.reduce((sum, one) => sum + one, 0) };
    changed(painted);
  }

  store.on(["colour", "type", "version"], paint);
  store.on(["filters"], paint);
  return {
    paint,
    columns,
    /** What is painted now: column, values, classes, and which segments the filters leave; null before the first. */
    painted: () => painted,
    /** Whether a segment can be pointed at: what the filters leave out cannot. */
    there: (row) => !painted || painted.left[row] === 1,
    colourOf: (row) => (painted ? painted.items[painted.of[row]].colour : UNKNOWN),
  };
}

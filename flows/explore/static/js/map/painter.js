/** Painting segments: which column, which classes, which segments the filters leave. */

import { UNKNOWN, classesOf } from "./classes.js";
import { FAINT_WEIGHT } from "./drawing.js";
import { WORDS } from "../words.js";

/** The column that is counted here, of the collisions that the filters leave. */
export const FILTERED = "filtered_collisions";
const FAINT_LIGHT = "#c3c8ce";
const FAINT_DARK = "#4a5058";

/** Tell whether the filters leave out collisions. */
export const filtersCollisions = ({ users, severities, years }) => Boolean(users.length || severities.length || years.length);

/** Give the columns that segments can be coloured by, with the one that is counted here. */
export function columnsOf(about) {
  const counted = { name: FILTERED, title: WORDS.map.filteredTitle, unit: "", kind: "number", outcome: true };
  return about.years.length ? [...about.columns, counted] : about.columns;
}

/** Read what is needed to count the collisions that the filters leave. */
function countsPath({ users, severities, years }) {
  const said = new URLSearchParams();
  for (const [key, chosen] of Object.entries({ users, severities, years })) if (chosen.length) said.set(key, chosen.join(","));
  return `counts.json?${said}`;
}

/** Make what paints; `put(paint)` puts it on the map, `changed(painted)` is called after each painting. */
export function makePainter({ store, api, about, put, changed, refused }) {
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const columns = columnsOf(about);
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

  /** Put the segments in classes as the store says; null where the store says another thing meanwhile. */
  async function classes() {
    const mine = (turn += 1);
    const { colour, type, filters } = store.get();
    const column = columns.find(({ name }) => name === colour) ?? columns[0];
    const read = await values(column, filters);
    const left = await leftBy({ type, filters }, read.length);
    if (mine !== turn) return null;
    const found = classesOf(column, read, about.types);
    painted = { column, values: read, left, ...found, n: left.reduce((sum, one) => sum + one, 0) };
    return {
      of: Array.from(found.of, (number, row) => (left[row] ? number + 1 : 0)),
      colours: [dark ? FAINT_DARK : FAINT_LIGHT, ...found.items.map((item) => item.colour)],
      weights: [FAINT_WEIGHT, ...found.items.map(({ weight }) => weight)],
    };
  }

  async function paint() {
    try {
      const paint = await classes();
      if (!paint) return;
      put(paint);
      changed(painted);
    } catch (error) {
      refused(error);
    }
  }

  store.on(["colour", "type", "filters", "version", "types"], paint);
  return {
    classes,
    columns,
    /** What is painted now: column, values, classes, and which segments the filters leave; null before the first. */
    painted: () => painted,
    /** Whether a segment can be pointed at: what the filters leave out cannot. */
    there: (row) => !painted || painted.left[row] === 1,
    colourOf: (row) => (painted ? painted.items[painted.of[row]].colour : UNKNOWN),
  };
}

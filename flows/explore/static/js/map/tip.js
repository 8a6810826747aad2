/** Pointing at a segment: its name, its type, and the figure that it is coloured by, with its interval. */

import { make, refill } from "../elements.js";
import { withInterval } from "../figures.js";
import { WORDS } from "../words.js";

const REACH_PX = 5;
const GAP = 14;

/** Find the segment at a point of the map that the filters leave; null where there is none. */
export function segmentAt(map, point, there) {
  const near = [
    [point.x - REACH_PX, point.y - REACH_PX],
    [point.x + REACH_PX, point.y + REACH_PX],
  ];
  for (const place of [point, near]) {
    const found = map.queryRenderedFeatures(place, { layers: ["segments"] }).find(({ id }) => there(id));
    if (found) return found;
  }
  return null;
}

/** Give the name of a segment, or its class, or its id. */
export async function nameOf(api, about, row) {
  for (const column of ["name", "road_class", "segment_id"]) {
    if (column !== "segment_id" && !about.columns.some(({ name }) => name === column)) continue;
    const value = (await api.once(`columns/${column}.json`))[row];
    if (value !== null && String(value).trim()) return String(value);
  }
  return WORDS.map.noName;
}

async function interval(api, about, { name }, row) {
  const limits = ["low", "high"].map((end) => about.columns.find((column) => column.name === `${name}_${end}`));
  if (limits.includes(undefined)) return null;
  const [low, high] = await Promise.all(limits.map((column) => api.once(`columns/${column.name}.json`)));
  return low[row] === null || high[row] === null ? null : [low[row], high[row]];
}

async function type(api, about, row) {
  const number = (await api.once("columns/cluster.json"))[row];
  if (number === null) return WORDS.map.noType;
  return WORDS.map.typeName(about.types.find((one) => one.type === number) ?? { type: number });
}

async function lines({ api, about, painter }, row) {
  const { column, values } = painter.painted();
  const said = [make("strong", {}, await nameOf(api, about, row)), make("span", {}, await type(api, about, row))];
  if (column.name === "cluster") return said;
  const limits = await interval(api, about, column, row);
  const [value, range] = withInterval(values[row], limits, column.unit);
  const text = range ? WORDS.map.between(value, range) : value;
  return [...said, make("div", {}, `${column.title}: ${text}`)];
}

function place(tip, { x, y }) {
  const { width, height } = tip.parentElement.getBoundingClientRect();
  const own = tip.getBoundingClientRect();
  tip.style.left = `${Math.max(4, Math.min(x + GAP, width - own.width - 4))}px`;
  tip.style.top = `${y + GAP + own.height > height ? Math.max(4, y - own.height - GAP) : y + GAP}px`;
}

/** Follow the pointer. */
export function followPointer({ map, painter, api, about, pointed }) {
  const tip = document.getElementById("tip");
  let shown = null;
  const none = () => {
    shown = null;
    tip.hidden = true;
    pointed(null);
    document.getElementById("map").classList.remove("over-road");
  };
  map.on("mousemove", async ({ point }) => {
    if (!painter.painted() || map.isMoving()) return;
    const found = segmentAt(map, point, painter.there);
    if (!found) {
      if (shown !== null) none();
      return;
    }
    if (found.id !== shown) {
      shown = found.id;
      pointed(found);
      document.getElementById("map").classList.add("over-road");
      const said = await lines({ api, about, painter }, found.id).catch(() => null);
      if (shown !== found.id || !said) return;
      refill(tip, ...said);
      tip.hidden = false;
    }
    place(tip, point);
  });
  map.on("mouseout", none);
  map.on("movestart", none);
}

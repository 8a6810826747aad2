/** What is marked on the map: the chosen segment and tile, examples that are meant or not, answers with their ranks. */

import { Marker } from "../../maplibre/maplibre-gl.mjs";

import { make } from "../elements.js";
import { WORDS } from "../words.js";
import { showBounds } from "./drawing.js";

const MOST_RANKS = 50;
const MOST_LINES = 500;
const collection = (features) => ({ type: "FeatureCollection", features });
const feature = (geometry, properties = {}) => ({ type: "Feature", geometry, properties });

/** Keep the marks as the store has them. */
export function keepMarks({ map, store, api, painter, refused }) {
  let ranks = [];
  let turn = 0;

  async function choose() {
    const { segment } = store.get();
    if (segment === null) {
      map.getSource("chosen").setData(collection([]));
      return;
    }
    try {
      const { line, bounds } = await api.once(`segment/${segment}.json`);
      if (store.get().segment !== segment) return;
      const colour = painter.colourOf(segment);
      map.getSource("chosen").setData(collection([feature({ type: "LineString", coordinates: line }, { colour })]));
      if (bounds) showBounds(map, bounds);
    } catch (error) {
      refused(error);
    }
  }

  async function outline() {
    const { tile } = store.get();
    if (tile === null) {
      map.getSource("outline").setData(collection([]));
      return;
    }
    try {
      const { square: ring } = await api.once(`tile/${tile}.json`);
      if (store.get().tile !== tile) return;
      map.getSource("outline").setData(collection([feature({ type: "Polygon", coordinates: [ring] })]));
      const [lons, lats] = [0, 1].map((axis) => ring.map((place) => place[axis]));
      showBounds(map, [Math.min(...lons), Math.min(...lats), Math.max(...lons), Math.max(...lats)]);
    } catch (error) {
      refused(error);
    }
  }

  /** Mark segments that the store holds in lists: their lines are read, as many at once as may be asked for. */
  async function mark() {
    const mine = (turn += 1);
    const { yes, no, answers, street } = store.get();
    const wanted = new Map((street?.rows ?? []).map((row) => [row, "street"]));
    for (const [list, kind] of [[answers, "answer"], [yes, "yes"], [no, "no"]]) {
      for (const { segment } of list) if (Number.isInteger(segment)) wanted.set(segment, kind);
    }
    const rows = [...wanted.keys()].slice(0, MOST_LINES);
    try {
      const { lines } = rows.length ? await api.once(`lines.json?rows=${rows.join(",")}`) : { lines: [] };
      if (mine !== turn) return;
      const drawn = rows.map((row, at) => feature({ type: "LineString", coordinates: lines[at] }, { kind: wanted.get(row) }));
      map.getSource("marked").setData(collection(drawn));
    } catch (error) {
      refused(error);
    }
  }

  function writeRanks() {
    for (const rank of ranks) rank.remove();
    const there = store.get().answers.filter(({ lon, lat }) => Number.isFinite(lon) && Number.isFinite(lat));
    ranks = there.slice(0, MOST_RANKS).map(({ rank, segment, tile, lon, lat }, at) => {
      const number = rank ?? at + 1;
      const element = make(
        "button",
        {
          type: "button",
          class: "rank",
          "aria-label": WORDS.map.answer(number),
          onclick: (event) => {
            event.stopPropagation();
            store.set({ segment: segment ?? null, tile: tile ?? null });
          },
        },
        make("span", {}, String(number)),
      );
      return new Marker({ element }).setLngLat([lon, lat]).addTo(map);
    });
  }

  store.on(["segment"], choose);
  store.on(["tile"], outline);
  store.on(["yes", "no", "answers", "street"], mark);
  store.on(["answers"], writeRanks);
  choose();
  outline();
  mark();
  writeRanks();
  return {
    /** Draw the chosen segment anew: its colour changed. */
    choose,
    pointed(found) {
      const drawn = found && [feature(found.geometry, { colour: painter.colourOf(found.id) })];
      map.getSource("pointed").setData(collection(drawn || []));
    },
  };
}

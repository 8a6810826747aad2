/** The map itself: its sources, its layers, and how segments are painted. */

import {
  LngLatBounds,
  Map as MapLibreMap,
  ScaleControl,
  setWorkerUrl,
} from "../../maplibre/maplibre-gl.mjs";

import { WORDS } from "../words.js";

const SEVERITY = ["match", ["get", "severity"], "fatal", "#000000", "serious", "#cc3311", "slight", "#ee9944", "unhurt", "#bbbbbb", "#4477aa"];
const ROAD_ORDERS = 6;
/** Segments that the filters leave out are drawn this thin. */
export const FAINT_WEIGHT = 0.35;
// many short lines are drawn faster without round ends, which nobody sees from afar
const LAYOUT = { "line-cap": ["step", ["zoom"], "butt", 13, "round"], "line-join": ["step", ["zoom"], "miter", 13, "round"] };
/** So many segments are drawn with casings from nearby alone. */
const MANY = 30000;
const CASING_FROM = 12;
const ROUND = { "line-cap": "round", "line-join": "round" };
const NOTHING = { type: "FeatureCollection", features: [] };

/** Give the class of a segment, by its row, which is its id: 0 where the filters leave it out, else from 1. */
const classOf = (of) => ["at", ["id"], ["literal", of]];

/** Choose by class: one value for each, from 0. */
function byClass(of, values) {
  const distinct = new Set(values.map(String));
  if (distinct.size === 1) return values[0];
  return ["match", classOf(of), ...values.slice(1).flatMap((value, at) => [at + 1, value]), values[0]];
}

/** Give the width (px) of a line by zoom, importance of the road (0 the highest) and weight of its class. */
function width(more = 0, weight = 1, bare = false) {
  const order = ["/", ["-", ROAD_ORDERS, ["min", ROAD_ORDERS, ["coalesce", ["get", "rank"], 4]]], ROAD_ORDERS];
  const line = (low, high, part) => ["+", ["*", ["+", low, ["*", high - low, order]], ["var", "weight"]], more * part];
  // what is left out has no casing
  const at = bare ? (...given) => ["case", ["<", ["var", "weight"], FAINT_WEIGHT + 0.01], 0, line(...given)] : line;
  // from afar, casings would be all that is seen
  const from = bare ? [0.25, 0.5] : [1, 1];
  const stops = [9, at(0.6, 1.8, from[0]), 12, at(1.2, 3, from[1]), 14, at(2.2, 4.6, 1), 16, at(3.6, 7, 1), 18, at(6, 11, 1)];
  return ["let", "weight", weight, ["interpolate", ["exponential", 1.3], ["zoom"], ...stops]];
}

function lines(id, paint, extra = {}) {
  return { id, type: "line", source: "segments", "source-layer": "segments", layout: LAYOUT, paint, ...extra };
}

const ring = (id, source, colour, more) => ({
  id,
  type: "line",
  source,
  layout: ROUND,
  paint: { "line-color": colour, "line-width": width(more) },
});

/** Colours of what is marked: an example that is meant, one that is not, an answer, a part of a street. */
const MARKS = ["match", ["get", "kind"], "yes", "#35b36b", "no", "#e5484d", "answer", "#ffd84d", "#ff4fa3"];

function layers(dark, n) {
  const [near, far] = dark ? ["#000000", "#ffffff"] : ["#ffffff", "#1b1f24"];
  const from = n > MANY ? { minzoom: CASING_FROM } : {};
  return [
    { id: "ground", type: "background", paint: { "background-color": dark ? "#22272c" : "#eceef0" } },
    ring("marked-far", "marked", "#1b1f24", 15),
    ring("marked-near", "marked", MARKS, 12),
    lines("halo", { "line-color": near }, { ...from, layout: { ...LAYOUT, visibility: "none" } }),
    lines("casing", { "line-color": far }, from),
    lines("segments", { "line-color": "#8c8c8c" }),
    ring("pointed", "pointed", ["get", "colour"], 3),
    { id: "outline", type: "line", source: "outline", paint: { "line-color": "#ffffff", "line-width": 5 } },
    { id: "outline-near", type: "line", source: "outline", paint: { "line-color": "#0b57a4", "line-width": 3 } },
    ring("chosen-far", "chosen", "#000000", 8),
    ring("chosen-near", "chosen", "#ffffff", 5),
    ring("chosen", "chosen", ["get", "colour"], 0),
    {
      id: "collisions",
      type: "circle",
      source: "collisions",
      "source-layer": "collisions",
      layout: { visibility: "none" },
      paint: {
        "circle-radius": ["interpolate", ["linear"], ["zoom"], 10, 1.6, 14, 4, 17, 7],
        "circle-color": ["case", ["to-boolean", ["get", "placed"]], SEVERITY, "#ffffff"],
        "circle-stroke-color": ["case", ["to-boolean", ["get", "placed"]], "#ffffff", SEVERITY],
        "circle-stroke-width": ["interpolate", ["linear"], ["zoom"], 10, 0.5, 14, 1.5, 17, 2.5],
      },
    },
  ];
}

function sources(about) {
  const here = location.href.replace(/[?#].*$/, "").replace(/[^/]*$/, "");
  const vector = (name, maxzoom) => ({ type: "vector", tiles: [`${here}${name}/{z}/{x}/{y}.pbf`], minzoom: 0, maxzoom });
  const own = { type: "geojson", data: NOTHING };
  return {
    segments: { ...vector("segments", 14), bounds: about.bounds },
    // some lie far from all segments, and were not placed for it
    collisions: vector("collisions", 14),
    chosen: own,
    marked: own,
    pointed: own,
    outline: own,
  };
}

/**
 * Say how segments are painted.
 *
 * `of` is the class of each row, 0 where the filters leave it out; `colours` and `weights` are by class, from 0. Gives the
 * properties that each layer has: [layer, property, value].
 */
function paintOf({ of, colours, weights }) {
  const weight = byClass(of, weights);
  return [
    ["segments", "line-color", byClass(of, colours)],
    ["segments", "line-width", width(0, weight)],
    ["casing", "line-width", width(1.5, weight, true)],
    ["halo", "line-width", width(4.5, weight, true)],
  ];
}

/** Later classes are drawn over earlier ones, so that the highest are seen. */
const sorting = ({ of }) => classOf(of);

function painted(all, paint) {
  const own = (id) => paintOf(paint).filter(([layer]) => layer === id);
  return all.map((layer) => ({
    ...layer,
    ...(layer.id === "segments" ? { layout: { ...layer.layout, "line-sort-key": sorting(paint) } } : {}),
    paint: { ...layer.paint, ...Object.fromEntries(own(layer.id).map(([, property, value]) => [property, value])) },
  }));
}

/** Paint segments anew; what is on the map stays until the new picture is there. */
export function repaint(map, paint) {
  for (const [layer, property, value] of paintOf(paint)) map.setPaintProperty(layer, property, value, { validate: false });
  map.setLayoutProperty("segments", "line-sort-key", sorting(paint), { validate: false });
}

/** Draw the map in its place, painted from the beginning. */
export function drawMap({ about, view, paint }) {
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  setWorkerUrl(new URL("../../maplibre/maplibre-gl-worker.mjs", import.meta.url).href);
  const [west, south, east, north] = about.bounds;
  const map = new MapLibreMap({
    container: "map",
    style: { version: 8, sources: sources(about), layers: painted(layers(dark, about.counts.segments ?? 0), paint) },
    ...(view ? { center: [view[0], view[1]], zoom: view[2] } : { bounds: [west, south, east, north], fitBoundsOptions: { padding: 30 } }),
    attributionControl: false,
    dragRotate: false,
    pitchWithRotate: false,
    touchPitch: false,
    maxZoom: 21,
    fadeDuration: 0,
    validateStyle: false,
    locale: { "Map.Title": WORDS.map.canvas },
  });
  map.touchZoomRotate.disableRotation();
  map.keyboard.disableRotation();
  map.addControl(new ScaleControl({ maxWidth: 110 }), "bottom-right");
  return map;
}

/** Go where a segment, or several points, can be seen; near enough places are left as they are. */
export function showBounds(map, [west, south, east, north], { always = false } = {}) {
  const wanted = new LngLatBounds([west, south], [east, north]);
  const seen = map.getBounds();
  const inside = seen.contains(wanted.getSouthWest()) && seen.contains(wanted.getNorthEast());
  if (inside && !always && map.getZoom() > 12.5) return;
  map.fitBounds(wanted, { padding: 70, maxZoom: 17, duration: 600 });
}

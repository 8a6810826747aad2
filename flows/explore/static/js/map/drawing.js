/** The map itself: its sources, its layers, and how segments are painted. */

import {
  LngLatBounds,
  Map as MapLibreMap,
  ScaleControl,
  setWorkerUrl,
} from "../../maplibre/maplibre-gl.mjs";

import { WORDS } from "../words.js";

const SEVERITY = ["match", ["get", "severity"], "fatal", "#000000", "serious", "#cc3311", "slight", "#ee9944", "#4477aa"];
const ROAD_ORDERS = 6;
const NOTHING = { type: "FeatureCollection", features: [] };

/** Give the width (px) of a line by zoom, importance of the road (0 the highest) and weight of its class. */
function width(more = 0, states = true) {
  const order = ["/", ["-", ROAD_ORDERS, ["min", ROAD_ORDERS, ["coalesce", ["get", "rank"], 4]]], ROAD_ORDERS];
  const at = (low, high) => {
    const base = ["+", low, ["*", high - low, order]];
    return ["+", states ? ["*", base, ["coalesce", ["feature-state", "w"], 1]] : base, more];
  };
  return [
    "interpolate", ["exponential", 1.3], ["zoom"],
    9, at(0.6, 1.8), 12, at(1.2, 3), 14, at(2.2, 4.6), 16, at(3.6, 7), 18, at(6, 11),
  ];
}

const state = (key, otherwise) => ["coalesce", ["feature-state", key], otherwise];
const COLOUR = ["rgb", state("r", 140), state("g", 140), state("b", 140)];
const SOLID = ["case", ["==", state("s", 1), 1], 1, 0];

// 1 an example that is meant, 2 one that is not, 3 an answer, 4 a part of the street that was gone to
const MARK = ["match", state("m", 0), 1, "#35b36b", 2, "#e5484d", 3, "#ffd84d", "#ff4fa3"];
const MARKED = ["case", [">", state("m", 0), 0], 1, 0];

function lines(id, paint, extra = {}) {
  return {
    id,
    type: "line",
    source: "segments",
    "source-layer": "segments",
    layout: { "line-cap": "round", "line-join": "round" },
    paint,
    ...extra,
  };
}

const ring = (id, source, colour, more) => ({
  id,
  type: "line",
  source,
  layout: { "line-cap": "round", "line-join": "round" },
  paint: { "line-color": colour, "line-width": width(more, false) },
});

function layers(dark) {
  const [near, far] = dark ? ["#000000", "#ffffff"] : ["#ffffff", "#1b1f24"];
  return [
    { id: "ground", type: "background", paint: { "background-color": dark ? "#22272c" : "#eceef0" } },
    lines("marked-far", { "line-color": "#1b1f24", "line-width": width(15), "line-opacity": MARKED }),
    lines("marked-near", { "line-color": MARK, "line-width": width(12), "line-opacity": MARKED }),
    lines("halo", { "line-color": near, "line-width": width(4.5), "line-opacity": SOLID }, { layout: { visibility: "none", "line-cap": "round" } }),
    lines("casing", { "line-color": far, "line-width": width(1.5), "line-opacity": SOLID }),
    lines("segments", { "line-color": COLOUR, "line-width": width() }),
    lines("highest", {
      "line-color": COLOUR,
      "line-width": width(),
      "line-opacity": ["case", [">", state("w", 1), 1.3], 1, 0],
    }),
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
  const vector = (name, maxzoom) => ({
    type: "vector",
    tiles: [`${here}${name}/{z}/{x}/{y}.pbf`],
    minzoom: 0,
    maxzoom,
    bounds: about.bounds,
  });
  const own = { type: "geojson", data: NOTHING };
  return {
    segments: vector("segments", 14),
    collisions: vector("collisions", 14),
    chosen: own,
    pointed: own,
    outline: own,
  };
}

/** Draw the map in its place. */
export function drawMap({ about, view }) {
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  setWorkerUrl(new URL("../../maplibre/maplibre-gl-worker.mjs", import.meta.url).href);
  const [west, south, east, north] = about.bounds;
  const map = new MapLibreMap({
    container: "map",
    style: { version: 8, sources: sources(about), layers: layers(dark) },
    ...(view ? { center: [view[0], view[1]], zoom: view[2] } : { bounds: [west, south, east, north], fitBoundsOptions: { padding: 30 } }),
    attributionControl: false,
    dragRotate: false,
    pitchWithRotate: false,
    touchPitch: false,
    maxZoom: 21,
    fadeDuration: 0,
    locale: { "Map.Title": WORDS.map.canvas },
  });
  map.touchZoomRotate.disableRotation();
  map.keyboard.disableRotation();
  map.addControl(new ScaleControl({ maxWidth: 110 }), "bottom-right");
  return map;
}

/** Give the channels of a colour `#rrggbb`. */
export function channels(colour) {
  const number = Number.parseInt(colour.slice(1), 16);
  return [number >> 16, (number >> 8) & 255, number & 255];
}

/** Go where a segment, or several points, can be seen; near enough places are left as they are. */
export function showBounds(map, [west, south, east, north], { always = false } = {}) {
  const wanted = new LngLatBounds([west, south], [east, north]);
  const seen = map.getBounds();
  const inside = seen.contains(wanted.getSouthWest()) && seen.contains(wanted.getNorthEast());
  if (inside && !always && map.getZoom() > 12.5) return;
  map.fitBounds(wanted, { padding: 70, maxZoom: 17, duration: 600 });
}

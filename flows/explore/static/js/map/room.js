/** The room of the map: it is drawn, painted, pointed at, clicked, and kept as the address says. */

import { followAddress } from "./address.js";
import { drawButtons, drawChoices } from "./controls.js";
import { drawMap, repaint, showBounds } from "./drawing.js";
import { addImagery } from "./imagery.js";
import { drawLegend } from "./legend.js";
import { keepMarks } from "./marks.js";
import { columnsOf, makePainter } from "./painter.js";
import { makeSearch } from "./search.js";
import { followPointer, nameOf, segmentAt } from "./tip.js";
import { WORDS } from "../words.js";

const words = WORDS.map;

/** Draw the collisions that the store says are in view. */
function followCollisions({ map, store, api, about }) {
  const show = () => {
    const { collisions, points, filters } = store.get();
    const [tiles] = map.getSource("collisions").tiles;
    const wanted = api.full(tiles.replace(/\?.*$/, ""));
    if (collisions && wanted !== tiles) map.getSource("collisions").setTiles([wanted]);
    map.setLayoutProperty("collisions", "visibility", points && collisions ? "visible" : "none");
    map.setFilter("collisions", collisionFilter(filters, about));
  };
  store.on(["collisions", "points", "filters"], show);
  show();
}

/** Give the map's filter of collisions; a road user is a bit of `users`, in the order of the run's users. */
function collisionFilter({ users, severities, years }, about) {
  const every = ["all"];
  if (severities.length) every.push(["in", ["get", "severity"], ["literal", severities]]);
  if (years.length) every.push(["in", ["get", "year"], ["literal", years]]);
  if (users.length) {
    const bit = (user) => ["%", ["floor", ["/", ["coalesce", ["get", "users"], 0], 2 ** about.users.indexOf(user)]], 2];
    every.push(["any", ...users.map((user) => ["==", bit(user), 1])]);
  }
  return every;
}

/** Answer a click: a collision before a segment, and in the mode of picking an example. */
function followClicks({ map, store, painter, live, api, about }) {
  map.on("click", async ({ point }) => {
    const { pick, collisions, points, yes } = store.get();
    const found = segmentAt(map, point, painter.there);
    if (pick) {
      if (!found) return live(words.nothingHere, { seen: true });
      if (!yes.some(({ segment }) => segment === found.id)) store.set({ yes: [...yes, { segment: found.id }] });
      return live(words.picked(await nameOf(api, about, found.id)), { seen: true });
    }
    if (collisions && points) {
      const [collision] = map.queryRenderedFeatures(point, { layers: ["collisions"] });
      if (collision) return store.set({ collision: collision.id, tab: "card" });
    }
    store.set({ segment: found?.id ?? null, tile: null, collision: null, ...(found ? { tab: "card" } : { street: null }) });
  });
  const follow = () => document.getElementById("map").classList.toggle("picking", store.get().pick);
  store.on(["pick"], follow);
}

/** Escape ends what is on top: a mode, a tile, a segment. */
function followEscape(store) {
  addEventListener("keydown", ({ key }) => {
    if (key !== "Escape") return;
    const { pick, tile, collision, segment, street } = store.get();
    if (pick) store.set({ pick: false });
    else if (tile !== null) store.set({ tile: null });
    else if (collision !== null) store.set({ collision: null });
    else if (segment !== null) store.set({ segment: null });
    else if (street !== null) store.set({ street: null });
  });
}

/** Go to a street or a segment. */
function makeGo({ map, store, api, live }) {
  return async ({ rows, name }) => {
    if (rows.length > 1) {
      const [lons, lats] = await Promise.all([api.once("columns/lon.json"), api.once("columns/lat.json")]);
      const [x, y] = [lons, lats].map((degrees) => rows.map((row) => degrees[row]));
      showBounds(map, [Math.min(...x), Math.min(...y), Math.max(...x), Math.max(...y)], { always: true });
      store.set({ street: { rows, name }, segment: null, tab: "card" });
    } else store.set({ segment: rows[0], tile: null, street: null, tab: "card" });
    live(words.went(name, rows.length));
    document.getElementById("tab-card").focus({ preventScroll: true });
  };
}

function followShare(live) {
  document.getElementById("share").addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(location.href);
      live(WORDS.page.shared, { seen: true });
    } catch {
      live(WORDS.page.shareByHand, { seen: true });
    }
  });
}

/** Keep the view of the store and of the map the same. */
function followView(map, store) {
  map.on("moveend", () => {
    const { lng, lat } = map.getCenter();
    store.set({ view: [lng, lat, map.getZoom()] });
  });
  store.on(["view"], ({ view }) => {
    if (!view) return;
    const { lng, lat } = map.getCenter();
    const far = Math.abs(lng - view[0]) + Math.abs(lat - view[1]) > 1e-9 || Math.abs(map.getZoom() - view[2]) > 1e-6;
    if (far && !map.isMoving()) map.jumpTo({ center: [view[0], view[1]], zoom: view[2] });
  });
}

/** Start the map. */
export async function start({ store, api, live, about }) {
  await followAddress({ store, api, columns: columnsOf(about), types: about.types, told: (kind, what) => live(words.unknown[kind](what), { seen: true }) });
  const legend = document.getElementById("legend");
  const refused = (error) => live(`${WORDS.page.refused}: ${error.message}`, { seen: true });
  let map = null;
  let marks = null;
  const painter = makePainter({
    store,
    api,
    about,
    refused,
    put: (paint) => map && repaint(map, paint),
    changed: (painted) => {
      drawLegend(legend, painted, store.get(), about);
      marks?.choose();
      live(words.painted(painted.column.title, painted.n));
    },
  });
  const choices = drawChoices(document.getElementById("shown"), { store, about, columns: painter.columns });
  const paint = await painter.classes();
  drawLegend(legend, painter.painted(), store.get(), about);
  map = drawMap({ about, view: store.get().view, paint });
  store.on(["filters", "points"], () => drawLegend(legend, painter.painted(), store.get(), about));
  drawButtons(document.getElementById("map-buttons"), map, about);
  makeSearch(document.getElementById("go"), { api, about, live, go: makeGo({ map, store, api, live }) });
  // whether all is drawn that is in view, for who waits for it
  const { dataset } = document.getElementById("map");
  map.on("movestart", () => (dataset.drawn = "false"));
  map.on("idle", () => (dataset.drawn = "true"));
  map.on("error", ({ error }) => console.warn(error?.message ?? error));
  map.on("load", () => {
    followCollisions({ map, store, api, about });
    addImagery({ map, api, store, about, place: choices, live }).catch(refused);
    marks = keepMarks({ map, store, api, painter, refused });
    followPointer({ map, painter, api, about, pointed: marks.pointed });
    followClicks({ map, store, painter, live, api, about });
    document.getElementById("map").dataset.ready = "true";
  });
  followView(map, store);
  followEscape(store);
  followShare(live);
}

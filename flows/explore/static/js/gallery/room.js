/** The gallery: all tiles of a type in an order; a picture and its place on the map point at each other. */

import { later, make, refill } from "../elements.js";
import { figure } from "../figures.js";
import { WORDS, count } from "../words.js";
import { makeGrid } from "./grid.js";
import { makePictures } from "./pictures.js";
import { makeTile } from "./tile.js";

const words = WORDS.gallery;
const SORTS = {
  doubtful: "sort=margin",
  typical: "sort=margin&last=true",
  middle: "sort=likeness",
  like: "sort=likeness",
  street: "sort=street",
};
const LOAD_AFTER_MS = 60;

/** Put a tile into what is meant, or into what is not; once more takes it out again. */
function vote({ store, live }, tile, key, other) {
  const { [key]: list, [other]: rest } = store.get();
  const there = list.some((one) => one.tile === tile);
  store.set({
    [key]: there ? list.filter((one) => one.tile !== tile) : [...list, { tile }],
    [other]: rest.filter((one) => one.tile !== tile),
  });
  live(there ? words.taken : words.put[key]);
}

/** Start the gallery. */
export function start(context) {
  const { store, api, panel, live, about } = context;
  const pictures = makePictures(api);
  let found = { tiles: [], segments: [], values: null, unseen: 0, note: "" };
  let places = new Map();
  let like = null;
  let stale = true;
  let reading = 0;

  const option = (value, text) => make("option", { value }, text);
  const types = make("select", {
    onchange: () => {
      const before = store.get().type;
      store.set({ type: Number(types.value) || null });
      if (store.get().type === before) read();
    },
  });
  const sort = make("select", { onchange: () => read() }, ...Object.keys(SORTS).map((name) => option(name, words.sorts[name])));
  const line = make("input", { type: "checkbox", checked: true, onchange: () => grid.again() });
  const only = make("input", { type: "checkbox", onchange: () => read() });
  const said = make("p", { class: "small quiet", role: "status" });
  const told = make("p", { class: "note", hidden: true });

  const votes = (tile) => [
    ["yes", "no", "\u2713", words.like],
    ["no", "yes", "\u2717", words.unlike],
  ].map(([key, other, sign, text]) =>
    make("button", { type: "button", class: `vote ${key}`, "aria-label": text, title: text, "data-key": key, "aria-pressed": String(store.get()[key].some((one) => one.tile === tile)), onclick: () => vote(context, tile, key, other) }, sign));

  function fill(cell, at, button) {
    const tile = found.tiles[at];
    const value = found.values?.[at];
    button.setAttribute("aria-label", words.tile(at + 1, found.tiles.length));
    cell.dataset.tile = tile;
    cell.dataset.segment = found.segments[at];
    const foot = make("div", { class: "foot" }, make("span", { class: "small quiet", title: words.by[sort.value] }, Number.isFinite(value) ? figure(value) : ""), ...votes(tile));
    cell.append(foot);
    mark(cell);
    const show = (address) => refill(button, make("img", { src: address, alt: "" }));
    const gone = (error) => {
      const why = error.status === 410 ? words.gone : error.message;
      refill(button, make("span", { class: "gone" }, why));
      button.title = error.message;
      cell.classList.add("without");
    };
    let letGo = () => {};
    let waiting = setTimeout(function load() {
      if (grid.hurries()) waiting = setTimeout(load, LOAD_AFTER_MS);
      else letGo = pictures.ask(`tile/${tile}${line.checked ? "?line=1" : ""}`, show, gone);
    }, LOAD_AFTER_MS);
    return () => {
      clearTimeout(waiting);
      letGo();
    };
  }

  function mark(cell) {
    const { segment, tile } = store.get();
    cell.classList.toggle("of-segment", segment !== null && Number(cell.dataset.segment) === segment);
    if (Number(cell.dataset.tile) === tile) cell.setAttribute("aria-current", "true");
    else cell.removeAttribute("aria-current");
  }

  const grid = makeGrid({
    label: words.grid,
    fill,
    opened: (at) => one.open(found.tiles[at], line.checked),
    pointed: (at) => point(at),
    key(event, at) {
      const key = { "+": ["yes", "no"], "-": ["no", "yes"] }[event.key];
      if (!key || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      vote(context, found.tiles[at], ...key);
    },
  });
  const point = later((at) => {
    if (!panel.hidden && (at !== null || !grid.element.contains(document.activeElement))) {
      store.set({ tile: at === null ? null : found.tiles[at] ?? null });
    }
  }, 80);

  const one = makeTile({
    api,
    about,
    step(tile, by) {
      const to = (places.get(tile) ?? -2) + by;
      return found.tiles[to] ?? null;
    },
    asks(tile) {
      const segment = found.segments[places.get(tile)];
      const go = (changes) => () => {
        one.close();
        store.set(changes);
      };
      const near = () => {
        one.close();
        like = tile;
        sort.value = "like";
        read();
      };
      return [
        ...votes(tile),
        make("button", { type: "button", onclick: near }, words.near),
        segment === undefined ? null : make("button", { type: "button", onclick: go({ segment, tile, tab: "card" }) }, words.toSegment),
      ].filter(Boolean);
    },
    closed(tile) {
      const at = places.get(tile);
      if (at !== undefined && !panel.hidden) grid.focus(at);
    },
  });

  function address() {
    const { type, segment } = store.get();
    const parts = [SORTS[sort.value]];
    if (only.checked && segment !== null) parts.push(`segment=${segment}`);
    else if (types.value === "none") parts.push("type=none");
    else if (type !== null) parts.push(`type=${type}`);
    if (sort.value === "like" && like !== null) parts.push(`like=${like}`);
    return `gallery.json?${parts.join("&")}`;
  }

  async function read() {
    if (panel.hidden) {
      stale = true;
      return;
    }
    stale = false;
    if (sort.value === "like" && like === null) like = store.get().tile ?? found.tiles[0] ?? null;
    const mine = (reading += 1);
    said.textContent = WORDS.page.loading;
    try {
      const answer = await api.get(address());
      if (mine !== reading) return;
      found = answer;
      places = new Map(found.tiles.map((tile, at) => [tile, at]));
      grid.reset(found.tiles.length);
      said.textContent = [words.tiles(found.tiles.length), found.unseen ? words.unseen(found.unseen) : ""].filter(Boolean).join(" ");
      told.textContent = found.note;
      told.hidden = !found.note;
    } catch (error) {
      if (mine !== reading) return;
      said.textContent = "";
      told.textContent = `${WORDS.page.refused}: ${error.message}`;
      told.hidden = false;
    }
  }

  function followType() {
    const { type } = store.get();
    const wanted = type === null ? (types.value === "none" ? "none" : "all") : String(type);
    if (types.value !== wanted) types.value = wanted;
  }

  const nameTypes = () => {
    const chosen = types.value;
    refill(types, option("all", words.all), ...about.types.map((type) => option(type.type, WORDS.map.typeName(type))), option("none", WORDS.map.noType));
    if (chosen) types.value = chosen;
  };
  nameTypes();
  refill(
    panel,
    make("h2", {}, words.title),
    make("div", { class: "choices" }, make("label", {}, words.type, types), make("label", {}, words.sort, sort), make("label", { class: "tick" }, line, words.line), make("label", { class: "tick" }, only, words.only)),
    said,
    told,
    grid.element,
    one.element,
  );
  followType();

  const marks = () => {
    for (const at of grid.shown()) mark(grid.cell(at));
  };
  store.on(["tile"], marks);
  store.on(["segment"], ({ segment }) => {
    if (only.checked) read();
    marks();
    const at = segment === null ? -1 : found.segments.indexOf(segment);
    if (at >= 0 && !panel.hidden && !grid.element.contains(document.activeElement)) grid.show(at);
    marks();
  });
  store.on(["yes", "no"], () => {
    for (const button of panel.querySelectorAll(".vote")) {
      const tile = Number(button.closest("[data-tile]")?.dataset.tile);
      if (Number.isInteger(tile)) button.setAttribute("aria-pressed", String(store.get()[button.dataset.key].some((each) => each.tile === tile)));
    }
  });
  store.on(["types"], nameTypes);
  store.on(["type"], () => {
    followType();
    read();
  });
  store.on(["version"], () => {
    api.forget?.();
    read();
  });
  store.on(["tab"], () => {
    if (stale && !panel.hidden) read();
  });
  queueMicrotask(read);
}

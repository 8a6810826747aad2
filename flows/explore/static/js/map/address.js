/** What is shown, in the address: `#segment=<id>&view=<longitude>,<latitude>,<zoom>&colour=<column>&type=<number>`. */

import { later } from "../elements.js";

const SHOWN = ["segment", "type", "colour", "tab"];

/** Read an address's part after `#`; what is not understood is left out. */
export function readHash(hash, columns, types) {
  const said = new URLSearchParams(hash.replace(/^#/, ""));
  const read = {};
  const view = (said.get("view") ?? "").split(",").map(Number);
  if (view.length === 3 && view.every(Number.isFinite) && Math.abs(view[0]) <= 180 && Math.abs(view[1]) < 85.06) {
    read.view = view;
  }
  const colour = said.get("colour");
  if (columns.some(({ name }) => name === colour)) read.colour = colour;
  else if (colour !== null) read.unknownColour = colour;
  const chosen = said.get("type");
  if (types.some(({ type }) => String(type) === chosen)) read.type = Number(chosen);
  else if (chosen !== null) read.unknownType = chosen;
  if (said.get("tab")) read.tab = said.get("tab");
  if (said.get("segment")) read.id = said.get("segment");
  return read;
}

/** Write what is shown; ids are encoded, whatever they hold. */
export function writeHash({ view, colour, type, tab }, id, usual) {
  const said = new URLSearchParams();
  if (id !== null) said.set("segment", id);
  if (view) said.set("view", [view[0].toFixed(5), view[1].toFixed(5), view[2].toFixed(2)].join(","));
  if (colour !== usual) said.set("colour", colour);
  if (type !== null) said.set("type", type);
  if (tab !== "card") said.set("tab", tab);
  return `#${said.toString().replaceAll("%2C", ",")}`;
}

/**
 * Keep store and address the same: choices are steps that the back button takes back, views are not.
 *
 * `told(kind, what)` hears of a segment, colour or type that the run does not have.
 */
export async function followAddress({ store, api, columns, types, told }) {
  let reading = false;
  let ids = null;
  // of a run without types another column is the usual one
  const usual = columns.some(({ name }) => name === "cluster") ? "cluster" : columns[0]?.name;
  const idOf = (row) => (row === null ? null : (ids?.[row] ?? null));

  async function read() {
    const { id, unknownColour, unknownType, ...read } = readHash(location.hash, columns, types);
    const wanted = { segment: null, type: null, colour: usual, tab: "card", ...read };
    if (id !== undefined) {
      ids ??= await api.once("columns/segment_id.json");
      const row = ids.indexOf(id);
      if (row < 0) told("segment", id);
      else wanted.segment = row;
    }
    if (unknownColour !== undefined) told("colour", unknownColour);
    if (unknownType !== undefined) told("type", unknownType);
    reading = true;
    store.set(wanted);
    reading = false;
  }

  const write = (step) => {
    const hash = writeHash(store.get(), idOf(store.get().segment), usual);
    if (hash === location.hash || (hash === "#" && !location.hash)) return;
    history[step ? "pushState" : "replaceState"](null, "", hash);
  };
  const writeView = later(() => write(false), 300);
  await read();
  store.on(SHOWN, async () => {
    if (reading) return;
    if (store.get().segment !== null) ids ??= await api.once("columns/segment_id.json");
    write(true);
  });
  store.on(["view"], () => {
    if (!reading) writeView();
  });
  // both the back button and an address that is typed end here
  addEventListener("popstate", read);
}

/** Correcting types: what they are called, which are one, and which segments are of them. */

import { make, refill } from "../elements.js";
import { ofTab } from "../shelf.js";
import { WORDS } from "../words.js";
import { makeHere, refusedPart } from "./here.js";
import { makeState, SAW } from "./state.js";
import { makeTypes } from "./types.js";

const words = WORDS.correct;
const MOST_SAID = 50;

function makeMarked(changed) {
  const rows = [];
  return {
    rows,
    has: (row) => rows.includes(row),
    toggle(row) {
      if (rows.includes(row)) rows.splice(rows.indexOf(row), 1);
      else rows.push(row);
      if (rows.length > 2) rows.shift();
      changed();
    },
    clear() {
      rows.length = 0;
      changed();
    },
  };
}

/** What the next run will change, and how to run it. */
function nextPart(place, { next, agreement, why_not: whyNot }, state) {
  const parts = next ? words.next(next) : [];
  refill(
    place,
    refusedPart(state, words),
    whyNot ? make("p", { class: "refused" }, words.cannot(whyNot)) : null,
    parts.length
      ? make("div", { class: "note warn", id: "run-again" }, make("p", {}, words.runAgain(parts.join(", "))), make("p", {}, make("code", {}, words.command)))
      : null,
    agreement ? make("p", { class: "small quiet" }, words.agreement(agreement)) : null,
  );
}

function whoPart(state) {
  const name = make("input", { type: "text", id: "correct-by", maxlength: 80, onchange: () => state.call(name.value) });
  const undo = make("button", { type: "button", id: "correct-undo", onclick: () => state.undo() }, words.undo);
  const last = make("p", { class: "small quiet" });
  state.on(({ undo: what }) => {
    if (document.activeElement !== name) name.value = state.who();
    undo.disabled = !what;
    last.textContent = what ? words.undoWhat(what.what.join("; ")) : words.nothingToUndo;
  });
  return make("div", {}, make("label", { class: "field" }, make("span", {}, words.by), name), make("div", { class: "row" }, undo), last);
}

/** The switch that shows collisions: off, for types must not be drawn after the outcome. */
function blindPart({ store }) {
  const tick = make("input", { type: "checkbox", id: "correct-collisions", onchange: () => store.set({ collisions: tick.checked }) });
  const why = make("p", { class: "small quiet" });
  const show = () => {
    tick.checked = store.get().collisions;
    if (tick.checked) ofTab.set(SAW, "yes");
    const saw = ofTab.get(SAW) !== null;
    why.textContent = tick.checked ? words.inView : saw ? words.wereInView : words.blind;
    why.classList.toggle("warn", saw);
    why.classList.toggle("note", saw);
  };
  store.on(["collisions"], show);
  show();
  return make("div", {}, make("label", { class: "tick" }, tick, words.showCollisions), why);
}

function pairPart({ state, marked, place, names }) {
  const [one, other] = marked.rows;
  const at = place.contains(document.activeElement) ? document.activeElement.dataset.say : null;
  const say = (says, done) => async () => {
    if (await state.say([{ segment: one, says, value: other }], done)) marked.clear();
  };
  refill(
    place,
    marked.rows.length === 1 ? make("p", { class: "small" }, words.markSecond(names(one))) : null,
    marked.rows.length === 2
      ? make(
          "div",
          { class: "note" },
          make("p", {}, words.pair(names(one), names(other))),
          make(
            "div",
            { class: "row" },
            make("button", { type: "button", "data-say": "like", onclick: say("like", words.saidAlike) }, words.alike),
            make("button", { type: "button", "data-say": "unlike", onclick: say("unlike", words.saidUnlike) }, words.unlike),
            make("button", { type: "button", class: "plain", "data-say": "leave", onclick: () => marked.clear() }, words.leave),
          ),
        )
      : null,
  );
  // what somebody is at stays where it was
  if (at) place.querySelector(`[data-say="${at}"]`)?.focus();
}

/** Make a type of the examples that were gathered. */
function makePart({ state, context }) {
  const { store, api } = context;
  const name = make("input", { type: "text", id: "made-name", maxlength: 80 });
  const count = make("p", { class: "small quiet" });
  const button = make("button", { type: "submit" }, words.makeType);
  const examples = () => store.get().yes.filter(({ segment, tile }) => Number.isInteger(segment ?? tile));
  // a tile stands for the segment that it lies on
  const rowOf = async ({ segment, tile, of }) => segment ?? of ?? (await api.once(`tile/${tile}.json`)).segment;
  const show = () => {
    const n = examples().length;
    button.disabled = !n;
    count.textContent = words.examples(n);
  };
  const send = async (event) => {
    event.preventDefault();
    const rows = [...new Set(await Promise.all(examples().map(rowOf)))];
    if (await state.make({ segments: rows, name: name.value.trim() }, words.made(rows.length))) {
      name.value = "";
      store.set({ yes: [], no: [] });
    }
  };
  store.on(["yes"], show);
  show();
  return make("form", { id: "make-type", onsubmit: send }, count, make("label", { class: "field" }, make("span", {}, words.nameOfIt), name), make("div", { class: "row" }, button));
}

function saidPart(place, { said, more }, state, store) {
  const item = (one) =>
    make(
      "li",
      { "data-state": one.state },
      Number.isInteger(one.segment)
        ? make("button", { type: "button", class: "plain", onclick: () => store.set({ segment: one.segment, tile: null }) }, words.word(one))
        : make("span", {}, one.what ? words.called(one) : words.word(one)),
      make("p", { class: "small quiet" }, words.whoWhen(one)),
      make("p", { class: `small${one.state === "gone" ? " note warn" : ""}` }, words.state(one)),
      one.state === "gone" ? make("button", { type: "button", onclick: () => state.again(one.name, words.saidAgain) }, words.again) : null,
    );
  const shown = [...said].sort((a, b) => (b.at ?? "").localeCompare(a.at ?? ""));
  refill(
    place,
    shown.length ? make("ul", { class: "list" }, ...shown.slice(0, MOST_SAID).map(item)) : make("p", { class: "small quiet" }, words.nothingSaid),
    shown.length > MOST_SAID ? make("p", { class: "small quiet" }, words.moreSaid(shown.length - MOST_SAID + more)) : null,
  );
}

/** Take back one's last word by Ctrl-Z, where no text is being written. */
function listenForUndo(state) {
  document.addEventListener("keydown", (event) => {
    const writes = event.target.closest?.("input, textarea, select, [contenteditable]");
    if (writes || event.key.toLowerCase() !== "z" || !(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey) return;
    event.preventDefault();
    state.undo();
  });
}

/** Start the room. */
export async function start(context) {
  const { store, api, panel, live } = context;
  const state = makeState({ ...context, words });
  const [next, here, pair, said] = ["correct-next", "correct-chosen", "correct-pair", "correct-said"].map((id) => make("div", { id }));
  const streets = new Map();
  const names = (row) => streets.get(row) ?? "";
  const learn = async (row) => {
    const { name, segment_id: id } = await api.once(`segment/${row}.json`);
    streets.set(row, words.road(name, id));
  };
  const marked = makeMarked(async () => {
    await Promise.all(marked.rows.filter((row) => !streets.has(row)).map(learn));
    pairPart({ state, marked, place: pair, names });
    fillAll();
    if (marked.rows.length === 1) live(words.markSecond(names(marked.rows[0])));
    if (marked.rows.length < 2) return;
    document.querySelector("dialog[open]")?.close();
    store.set({ tab: "correct" });
    pair.querySelector("button").focus();
  });
  const fill = makeHere({ state, words, context, marked });

  function fillAll() {
    const { segment } = store.get();
    if (segment === null) refill(here, make("p", { class: "small quiet" }, words.choose));
    else fill(here, segment);
    for (const place of document.querySelectorAll(".correct-here")) {
      if (place.dataset.segment) fill(place, Number(place.dataset.segment));
      else refill(place);
    }
  }
  refill(
    panel,
    make("h2", {}, words.title),
    next,
    whoPart(state),
    blindPart(context),
    here,
    pair,
    make("h3", {}, words.makeTitle),
    makePart({ state, context }),
    make("h3", {}, words.types),
    makeTypes(state, words),
    make("h3", {}, words.said),
    said,
  );
  state.on((stands) => {
    nextPart(next, stands, state);
    saidPart(said, stands, state, store);
    pairPart({ state, marked, place: pair, names });
    fillAll();
  });
  store.on(["segment"], () => state.forgive());
  store.on(["segment", "tile"], fillAll);
  document.addEventListener("room", fillAll);
  listenForUndo(state);
  await state.start();
}

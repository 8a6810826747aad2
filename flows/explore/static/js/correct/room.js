/** Correcting types: what they are called, which are one, and which segments are of them. */

import { make, refill } from "../elements.js";
import { WORDS } from "../words.js";
import { makeHere } from "./here.js";
import { makeState } from "./state.js";
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
function nextPart(place, { next, agreement, why_not: whyNot, fault, instead }, state) {
  const parts = next ? words.next(next) : [];
  const button = (text, called) => make("button", { type: "button", onclick: called }, text);
  const refused = () =>
    make(
      "div",
      { class: "refused", role: "alert" },
      make("p", {}, `${WORDS.page.refused}: ${fault}`),
      make("div", { class: "row" }, instead ? button(words.instead, instead) : null, button(words.leave, () => state.forgive())),
    );
  refill(
    place,
    fault ? refused() : null,
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
    why.textContent = tick.checked ? words.inView : words.blind;
    why.classList.toggle("warn", tick.checked);
    why.classList.toggle("note", tick.checked);
  };
  store.on(["collisions"], show);
  show();
  return make("div", {}, make("label", { class: "tick" }, tick, words.showCollisions), why);
}

function pairPart({ state, marked, place, names }) {
  const [one, other] = marked.rows;
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
            make("button", { type: "button", class: "plain", onclick: () => marked.clear() }, words.leave),
          ),
        )
      : null,
  );
}

/** Make a type of the examples that were gathered. */
function makePart({ state, context }) {
  const { store } = context;
  const name = make("input", { type: "text", id: "made-name", maxlength: 80 });
  const count = make("p", { class: "small quiet" });
  const button = make("button", { type: "submit" }, words.makeType);
  const rows = () => store.get().yes.map(({ segment, of }) => segment ?? of).filter((row) => Number.isInteger(row));
  const show = () => {
    const n = rows().length;
    button.disabled = !n;
    count.textContent = words.examples(n);
  };
  const send = async (event) => {
    event.preventDefault();
    if (await state.make({ segments: rows(), name: name.value.trim() }, words.made(rows().length))) {
      name.value = "";
      store.set({ yes: [], no: [] });
    }
  };
  store.on(["yes"], show);
  show();
  return make("form", { id: "make-type", onsubmit: send }, count, make("label", { class: "field" }, make("span", {}, words.nameOfIt), name), make("div", { class: "row" }, button));
}

function saidPart(place, { said }, state, store) {
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
    shown.length > MOST_SAID ? make("p", { class: "small quiet" }, words.moreSaid(shown.length - MOST_SAID)) : null,
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
  const { store, api, panel } = context;
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
  });
  const fill = makeHere({ state, words, context, marked });

  function fillAll() {
    const { segment } = store.get();
    if (segment === null) refill(here, make("p", { class: "small quiet" }, words.choose));
    else fill(here, segment);
    for (const place of document.querySelectorAll(".correct-here")) fill(place, Number(place.dataset.segment));
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
  store.on(["segment", "tile"], fillAll);
  document.addEventListener("room", fillAll);
  listenForUndo(state);
  await state.start();
}

/** What can be said of the segment that is shown: on its card, in the gallery, and in this room. */

import { make, refill } from "../elements.js";

/** Say what was refused, and what can be done: say it in the place of what it contradicts, or leave it. */
export function refusedPart(state, words) {
  const { fault, instead } = state.get();
  if (!fault) return null;
  const button = (text, called) => make("button", { type: "button", onclick: called }, text);
  return make(
    "div",
    { class: "refused", role: "alert" },
    make("p", {}, fault),
    make("div", { class: "row" }, instead ? button(words.instead, instead) : null, button(words.leave, () => state.forgive())),
  );
}

/** Make the buttons for a segment. `marked`: the rows that are marked to be held beside each other. */
export function makeHere({ state, words, context, marked }) {
  const { store, about, api } = context;

  async function typeOf(row) {
    const types = await api.once("columns/cluster.json").catch(() => null);
    return types ? (types[row] ?? null) : ((await api.once(`segment/${row}.json`)).type ?? null);
  }

  const nameOf = (number) => words.typeName(state.get().types.find(({ type }) => type === number) ?? { type: number, name: "" });

  function sayable(row, type) {
    const say = (says, value, done) => () => state.say([{ segment: row, says, value }], done);
    const chosen = make("select", { "aria-label": words.isA, "data-say": "which" }, ...state.get().types.filter((one) => one.type !== type && !one.merged_into).map((one) => make("option", { value: one.type }, words.typeName(one))));
    const isMarked = marked.has(row);
    return [
      make(
        "div",
        { class: "row" },
        make("button", { type: "button", "data-say": "right", onclick: say("is", type, words.stands(nameOf(type))) }, words.isOne(nameOf(type))),
        make("button", { type: "button", "data-say": "not", onclick: say("is not", type, words.saidNot(nameOf(type))) }, words.isNot(nameOf(type))),
      ),
      chosen.options.length
        ? make(
            "div",
            { class: "row" },
            chosen,
            make("button", { type: "button", "data-say": "is", onclick: () => say("is", Number(chosen.value), words.saidIs(nameOf(Number(chosen.value))))() }, words.isThis),
          )
        : null,
      make(
        "div",
        { class: "row" },
        make("button", { type: "button", "data-say": "mark", "aria-pressed": String(isMarked), onclick: () => marked.toggle(row) }, isMarked ? words.marked : words.mark),
        make("button", { type: "button", "data-say": "example", onclick: () => store.set({ yes: [...store.get().yes.filter(({ segment }) => segment !== row), { segment: row }] }) }, words.example),
      ),
    ];
  }

  /** Fill a place with what can be said of a segment. */
  return async function fill(place, row) {
    place.dataset.segment = row;
    if (state.get().why_not) return refill(place);
    const type = await typeOf(row);
    if (Number(place.dataset.segment) !== row) return null;
    const said = state.get().said.filter((one) => one.segment === row || one.other === row);
    const here = said.map((one) => make("p", { class: "small" }, words.saidHere(words.word(one)), " ", make("span", { class: "quiet" }, words.state(one))));
    // on a card the panel that says what was refused is not in view
    const refused = place.closest("#correct") ? null : refusedPart(state, words);
    if (type === null) return refill(place, make("h3", {}, words.here), make("p", { class: "note" }, words.noType));
    // what somebody is at stays where it was
    const at = place.contains(document.activeElement) ? document.activeElement.dataset.say : null;
    const which = place.querySelector("select")?.value;
    refill(place, make("h3", {}, words.here), refused, ...sayable(row, type), ...here);
    const select = place.querySelector("select");
    if (select && [...select.options].some(({ value }) => value === which)) select.value = which;
    if (at) place.querySelector(`[data-say="${at}"]`)?.focus();
    return null;
  };
}

/** The list of types: what each is called, its colour, a note, and which one it is part of. */

import { make, refill, swatch } from "../elements.js";
import { apart, contrast } from "./contrast.js";

const LEAST_CONTRAST = 3;
const LEAST_APART = 0.08;
const GROUNDS = { light: "#eceef0", dark: "#22272c" };

/** Say what is wrong with a colour; empty: nothing. */
function fault(words, colour, number, types) {
  const ground = matchMedia("(prefers-color-scheme: dark)").matches ? GROUNDS.dark : GROUNDS.light;
  const ratio = contrast(colour, ground);
  const alike = types.find((one) => one.type !== number && one.here && apart(one.color, colour) < LEAST_APART);
  return [
    ratio < LEAST_CONTRAST ? words.pale(ratio.toFixed(1)) : words.contrast(ratio.toFixed(1)),
    alike ? words.sameColour(words.typeName(alike)) : null,
  ].filter(Boolean);
}

/** The form of one type; what the analyst has typed and not saved stays whatever others say. */
function makeForm(state, words, number) {
  const dirty = new Set();
  let base = null;
  const field = (name, tag, attributes) =>
    make(tag, { id: `type-${number}-${name}`, ...attributes, oninput: () => { dirty.add(name); tellColour(); } });
  const name = field("name", "input", { type: "text", maxlength: 80 });
  const colour = field("color", "input", { type: "color" });
  const note = field("note", "input", { type: "text", maxlength: 500 });
  const into = field("merged_into", "select", { onchange: () => dirty.add("merged_into") });
  const fields = { name, color: colour, note, merged_into: into };
  const about = make("p", { class: "small quiet" });
  const seen = make("p", { class: "small quiet", "aria-live": "polite" });
  const told = make("p", { class: "small warn note", hidden: true });
  const label = (text, input) => make("label", { class: "field" }, make("span", {}, text), input);
  const summary = make("summary", {});
  const save = make("button", { type: "submit", class: "first" }, words.save);
  const form = make(
    "form",
    { "data-type": number, onsubmit: (event) => { event.preventDefault(); send(); } },
    about,
    label(words.name, name),
    label(words.colour, colour),
    seen,
    label(words.note, note),
    label(words.partOf, into),
    told,
    make("p", { class: "row" }, save),
  );
  const whole = make("details", { class: "type-form", "data-type": number }, summary, form);

  function tellColour() {
    refill(seen, ...fault(words, colour.value, number, state.get().types).flatMap((text) => [text, " "]));
  }

  async function send() {
    const values = { name: name.value.trim(), color: colour.value, note: note.value.trim(), merged_into: into.value ? Number(into.value) : null };
    const body = Object.fromEntries([...dirty].map((key) => [key, values[key]]));
    if (!dirty.size) return;
    if (await state.type(number, { seen: base.seen, ...body }, words.saved(number))) {
      dirty.clear();
      show();
    }
  }

  function options(types, one) {
    const others = types.filter(({ type, becomes }) => type !== number && becomes !== number);
    return [
      make("option", { value: "" }, words.ofItsOwn),
      ...others.map((other) => make("option", { value: other.type, selected: one.merged_into === other.type }, words.typeName(other))),
    ];
  }

  function show() {
    const { types } = state.get();
    const one = types.find(({ type }) => type === number);
    if (!one) return;
    const others = base && base.seen !== one.seen && dirty.size;
    base = one;
    const values = { name: one.name, color: one.color.toLowerCase(), note: one.note, merged_into: String(one.merged_into ?? "") };
    if (!dirty.has("merged_into")) refill(into, ...options(types, one));
    for (const [key, input] of Object.entries(fields)) if (!dirty.has(key)) input.value = values[key];
    refill(
      summary,
      swatch(one.color),
      ` ${words.typeName(one)}`,
      one.merged_into ? make("span", { class: "quiet small" }, ` ${words.isPartOf(one.merged_into)}`) : null,
    );
    about.textContent = one.found ? words.segments(one.segments) : words.byHand(one.examples);
    told.hidden = !others;
    told.textContent = others ? words.changedMeanwhile(words.typeName(one)) : "";
    tellColour();
  }
  return { whole, show };
}

/** Make the list. */
export function makeTypes(state, words) {
  const place = make("div", { class: "type-forms" });
  const forms = new Map();
  state.on(({ types }) => {
    for (const { type } of types) if (!forms.has(type)) forms.set(type, makeForm(state, words, type));
    for (const [number, form] of forms) {
      if (!types.some(({ type }) => type === number)) {
        form.whole.remove();
        forms.delete(number);
      }
    }
    const ordered = [...forms].sort(([one], [other]) => one - other);
    ordered.forEach(([, { whole, show }], at) => {
      if (place.children[at] !== whole) place.insertBefore(whole, place.children[at] ?? null);
      show();
    });
  });
  return place;
}

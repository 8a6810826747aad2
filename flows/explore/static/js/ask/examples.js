/** What was said: examples that are meant and that are not, each to be turned round or taken away. */

import { make, refill } from "../elements.js";
import { WORDS } from "../words.js";

const words = WORDS.ask;

/** Draw the lists of examples; `told` are those of the last answer, `pictureOf(key)` gives the address of a picture. */
export function drawExamples(place, { store, question, pictureOf, about }, told) {
  const { yes, no } = store.get();
  const label = (example) => {
    const known = told.find((one) => isOf(one, example));
    return example.text ?? example.concept ?? example.label ?? (known?.name || known?.label) ?? words.plain(example);
  };
  const item = (example, list) => {
    const name = label(example);
    const at = told.filter((one) => one.meant).findIndex((one) => isOf(one, example));
    const number = list === "yes" && at >= 0 ? make("span", { class: "small quiet figure" }, String(at + 1)) : null;
    const tile = example.tile ?? told.find((one) => isOf(one, example))?.shown;
    const ofTile = about.imagery && Number.isInteger(tile) ? `tile/${tile}?line=1` : null;
    const address = example.picture ? pictureOf(example.picture) : ofTile;
    const image = address ? make("img", { src: address, alt: "", width: 44, height: 44, loading: "lazy" }) : null;
    image?.addEventListener("error", () => image.remove());
    const other = list === "yes" ? "no" : "yes";
    const turn = example.concept
      ? null
      : make(
          "button",
          { type: "button", class: "small", "aria-label": words.turn[other](name), title: words.turn[other](name), onclick: () => question.say(example, other) },
          words.short[other],
        );
    const away = make(
      "button",
      { type: "button", class: "small", "aria-label": words.away(name), title: words.away(name), onclick: () => question.say(example, null) },
      "\u00d7",
    );
    return make("li", {}, number, image, make("span", { class: "name" }, name), turn, away);
  };
  const part = (list, examples) =>
    examples.length
      ? [make("h3", {}, words.lists[list](examples.length)), make("ul", { class: "examples", "data-list": list }, ...examples.map((one) => item(one, list)))]
      : [];
  const held = place.contains(document.activeElement);
  const undo = make("button", { type: "button", class: "small", onclick: () => question.undo() }, words.undo);
  const clear = make("button", { type: "button", class: "small", onclick: () => question.clear() }, words.clear);
  refill(
    place,
    ...part("yes", yes),
    ...part("no", no),
    yes.length || no.length ? make("div", { class: "row" }, undo, clear) : null,
  );
  if (held) (place.querySelector("button") ?? document.getElementById("ask-pick")).focus();
}

/** Tell whether what the server told is of an example. */
function isOf(told, example) {
  if (example.picture !== undefined) return told.picture === example.picture;
  if (example.tile !== undefined) return told.tile === example.tile;
  return example.segment !== undefined && told.tile === null && told.segment === example.segment;
}

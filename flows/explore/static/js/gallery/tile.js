/** One tile, looked at by itself. */

import { make, refill } from "../elements.js";
import { figure } from "../figures.js";
import { WORDS } from "../words.js";

const words = WORDS.gallery;

/** Make the dialog; `asks(tile)` gives its buttons, `step(tile, by)` the next tile or null, `closed(tile)` hears of its end. */
export function makeTile({ api, about, asks, step, closed }) {
  const dialog = make("dialog", { class: "tile", "aria-label": words.oneTile });
  let shown = null;
  let lined = true;

  const typeOf = (number) => about.types.find(({ type }) => type === number);

  function picture(tile) {
    const image = make("img", { src: `tile/${tile}?large=1${lined ? "&line=1" : ""}`, alt: words.fromAbove, width: 512, height: 512 });
    image.addEventListener("error", () => image.replaceWith(make("p", { class: "gone" }, words.gone)));
    return image;
  }

  async function draw(tile) {
    shown = tile;
    const place = make("div", { class: "facts" });
    const turn = (by, text) => make("button", { type: "button", disabled: step(tile, by) === null, onclick: () => draw(step(tile, by)) }, text);
    const close = make("button", { type: "button", class: "close", "aria-label": words.close, onclick: () => dialog.close() }, "\u00d7");
    refill(dialog, make("div", { class: "head" }, make("h2", {}, words.oneTile), close), picture(tile), place, make("div", { class: "row", "data-tile": tile }, turn(-1, words.before), turn(1, words.after), asks(tile)));
    if (!dialog.open) dialog.showModal();
    try {
      const told = await api.once(`tile/${tile}.json`);
      if (shown !== tile) return;
      const type = typeOf(told.type);
      const correct = make("div", { class: "correct-here", "data-segment": told.segment ?? "" });
      refill(
        place,
        make("p", {}, make("strong", {}, told.name ?? WORDS.map.noName), ` · ${type ? WORDS.map.typeName(type) : WORDS.map.noType}`),
        told.margin === null ? null : make("p", { class: "small quiet" }, words.margin(figure(told.margin))),
        told.why ? make("p", { class: "note" }, told.why) : null,
        correct,
      );
      document.dispatchEvent(new CustomEvent("room", { detail: correct }));
    } catch (error) {
      refill(place, make("p", { class: "refused" }, error.message));
    }
  }

  dialog.addEventListener("keydown", (event) => {
    // in a list that is open for choice, arrows choose
    if (event.target.closest("select")) return;
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const to = by === undefined ? null : step(shown, by);
    if (to !== null) draw(to);
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  dialog.addEventListener("close", () => closed(shown));
  return {
    element: dialog,
    open(tile, line) {
      lined = line;
      return draw(tile);
    },
    close: () => dialog.close(),
  };
}

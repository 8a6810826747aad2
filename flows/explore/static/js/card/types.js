/** The types of the run: a table that is also the filter of the map. */

import { make, refill, swatch } from "../elements.js";
import { plain } from "../figures.js";
import { colourOf } from "../map/classes.js";
import { count, WORDS } from "../words.js";

const words = WORDS.types;

function named(type) {
  const automatic = type.words ? make("span", { class: "auto", title: words.automaticMeans }, words.automatic(type.words)) : null;
  const name = type.name === words.number(type.type) ? null : type.name;
  return [name ? make("strong", {}, name) : automatic, type.note ? make("span", { class: "small quiet note-of" }, type.note) : null];
}

function row(store, type) {
  const chosen = store.get().type === type.type;
  const choose = make(
    "button",
    {
      type: "button",
      class: "plain",
      "aria-pressed": String(chosen),
      onclick: () => store.set({ type: chosen ? null : type.type }),
    },
    swatch(colourOf(type)),
    ` ${words.number(type.type)}`,
  );
  return make(
    "tr",
    { "aria-current": chosen ? "true" : null },
    make("td", {}, choose),
    make("td", {}, ...named(type)),
    make("td", { class: "figure" }, count(type.segments)),
    make("td", { class: "figure" }, plain(type.km, 1)),
  );
}

/** Start the panel of types. */
export function start({ store, panel, about, live }) {
  function show() {
    const { type } = store.get();
    if (!about.types.length) return refill(panel, make("h2", {}, words.title), make("p", { class: "note" }, words.none));
    const focused = panel.contains(document.activeElement) ? document.activeElement.textContent : null;
    const heads = [[words.type], [words.named], [words.segments, "figure"], [words.km, "figure"]];
    refill(
      panel,
      make("h2", {}, words.title),
      make("p", { class: "small quiet" }, words.how),
      make(
        "table",
        {},
        make("thead", {}, make("tr", {}, ...heads.map(([text, kind]) => make("th", { scope: "col", class: kind }, text)))),
        make("tbody", {}, ...about.types.map((one) => row(store, one))),
      ),
      make("p", { class: "row" }, make("button", { type: "button", disabled: type === null, onclick: () => store.set({ type: null }) }, words.all)),
    );
    if (focused) [...panel.querySelectorAll("button")].find(({ textContent }) => textContent === focused)?.focus();
    return null;
  }
  store.on(["type"], ({ type }) => {
    show();
    live(type === null ? words.allShown : words.only(type));
  });
  store.on(["version", "types"], show);
  show();
}

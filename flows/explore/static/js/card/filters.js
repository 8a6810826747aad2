/** Filters: of segments by road class, of collisions by road user, severity and year. */

import { make, refill } from "../elements.js";
import { WORDS } from "../words.js";
import { FILTERED } from "../map/painter.js";

const words = WORDS.filters;

function group(store, key, values, title, word) {
  if (!values?.length) return null;
  const box = (value) => {
    const tick = make("input", {
      type: "checkbox",
      value,
      onchange: () => {
        const { filters } = store.get();
        const chosen = tick.checked ? [...filters[key], value] : filters[key].filter((one) => one !== value);
        store.set({ filters: { ...filters, [key]: values.filter((one) => chosen.includes(one)) } });
      },
    });
    tick.checked = store.get().filters[key].includes(value);
    return make("label", { class: "tick" }, tick, word(value));
  };
  return make("fieldset", { "data-key": key }, make("legend", {}, make("h3", {}, title)), make("div", { class: "ticks" }, ...values.map(box)));
}

/** Say of how many collisions a filter cannot know whether it means them. */
function untold({ untold: n }) {
  if (!n) return [];
  const said = [[n.severity, words.severityOf], [n.year, words.yearOf], ...Object.entries(n.users).map(([user, of]) => [of, words.userOf(WORDS.collisions.user(user))])];
  return said.filter(([of]) => of > 0).map(([of, what]) => make("p", { class: "small quiet" }, words.untold(of, what)));
}

/** Start the panel of filters. */
export function start({ store, panel, about, live }) {
  const none = { classes: [], users: [], severities: [], years: [] };
  const chosen = () => Object.values(store.get().filters).some((list) => list.length);
  const clear = make("button", { type: "button", onclick: () => store.set({ filters: none }) }, words.clear);
  const colour = make("button", { type: "button", onclick: () => store.set({ colour: FILTERED, points: true }) }, words.colour);
  const blind = make("p", { class: "note warn", hidden: true }, words.blind);
  const places = about.years.length;
  refill(
    panel,
    make("h2", {}, words.title),
    make("p", { class: "small quiet" }, words.how),
    make("h3", {}, words.ofSegments),
    group(store, "classes", about.classes, words.classes, (value) => value),
    places ? make("h3", {}, words.ofCollisions) : make("p", { class: "note" }, words.noCollisions),
    places ? make("p", { class: "note" }, words.honest) : null,
    ...untold(about),
    blind,
    places ? make("p", { class: "row" }, colour) : null,
    group(store, "severities", about.severities, words.severities, (value) => (value === "slight" && about.slight) || (WORDS.map.severities[value]?.[0] ?? value)),
    group(store, "users", about.users, words.users, WORDS.collisions.user),
    group(store, "years", about.years, words.years, String),
    make("p", { class: "row" }, clear),
  );
  store.on(["filters"], ({ filters }) => {
    clear.disabled = !chosen();
    for (const tick of panel.querySelectorAll("input[type=checkbox]")) {
      const list = filters[tick.closest("fieldset").dataset.key];
      tick.checked = list.some((value) => String(value) === tick.value);
    }
    live(chosen() ? words.on : words.off);
  });
  clear.disabled = !chosen();
  const follow = () => {
    const { collisions, filters } = store.get();
    blind.hidden = collisions || !places;
    colour.disabled = !collisions;
    for (const set of panel.querySelectorAll("fieldset:not([data-key=classes])")) set.disabled = !collisions;
    if (!collisions) store.set({ filters: { ...none, classes: filters.classes } });
  };
  store.on(["collisions"], follow);
  follow();
}

/** What lies on the map: by what segments are coloured, imagery, collisions, zoom. */

import { make, refill } from "../elements.js";
import { WORDS } from "../words.js";

const words = WORDS.map;

/** Put columns in groups, for a list that can be read. */
function choices(columns) {
  const groups = new Map(words.groups.map((group) => [group, []]));
  for (const column of columns) {
    const group = words.group(column);
    if (!groups.has(group)) groups.set(group, []);
    groups.get(group).push(column);
  }
  const option = ({ name, title, outcome }) => make("option", { value: name, "data-outcome": outcome || null }, title);
  return [...groups].filter(([, members]) => members.length).map(([group, members]) => make("optgroup", { label: group }, ...members.map(option)));
}

function opacity(store) {
  const range = make("input", {
    type: "range",
    min: 0,
    max: 100,
    step: 5,
    value: Math.round(store.get().imagery * 100),
    oninput: () => store.set({ imagery: range.valueAsNumber / 100 }),
  });
  return make("label", { id: "opacity" }, words.imagery, range);
}

function collisionsTick(store) {
  const tick = make("input", { type: "checkbox", id: "collisions", onchange: () => store.set({ points: tick.checked }) });
  const follow = () => {
    const { points, collisions } = store.get();
    tick.checked = points && collisions;
    tick.disabled = !collisions;
    tick.title = collisions ? "" : WORDS.filters.blind;
  };
  follow();
  store.on(["points", "collisions"], follow);
  return make("label", { class: "tick" }, tick, words.showCollisions);
}

/** Fill the box of choices; on a narrow screen it is folded until it is asked for. */
export function drawChoices(place, { store, about, columns }) {
  const select = make("select", { id: "colour", onchange: () => store.set({ colour: select.value }) }, ...choices(columns));
  const follow = () => {
    const { colour, collisions } = store.get();
    for (const option of select.querySelectorAll("[data-outcome]")) option.disabled = !collisions;
    if (!collisions && select.querySelector(`option[value="${CSS.escape(colour)}"][data-outcome]`)) store.set({ colour: "cluster" });
    select.value = store.get().colour;
  };
  follow();
  store.on(["colour", "collisions"], follow);
  refill(
    place,
    make(
      "details",
      { open: !matchMedia("(max-width: 760px)").matches },
      make("summary", {}, words.choices),
      make(
        "div",
        { class: "choices" },
        make("label", { for: "colour" }, words.colourBy, select),
        about.imagery ? opacity(store) : null,
        about.years.length ? collisionsTick(store) : null,
      ),
    ),
  );
  return place.querySelector(".choices");
}

/** Fill the buttons of the map. */
export function drawButtons(place, map, about) {
  const [west, south, east, north] = about.bounds;
  const button = (sign, label, onclick) => make("button", { type: "button", "aria-label": label, title: label, onclick }, sign);
  refill(
    place,
    button("+", words.zoomIn, () => map.zoomIn()),
    button("\u2212", words.zoomOut, () => map.zoomOut()),
    button("\u2922", words.whole, () => map.fitBounds([west, south, east, north], { padding: 30 })),
  );
}

/** The legend: what the colours mean, in which unit, and how many segments have each. */

import { make, refill } from "../elements.js";
import { FILTERED, filtersCollisions } from "./painter.js";
import { count, WORDS } from "../words.js";

function stroke({ colour, weight }) {
  const line = make("span", { class: `stroke${weight < 1 ? " thin" : weight > 1.3 ? " thick" : ""}`, "aria-hidden": "true" });
  line.style.backgroundColor = colour;
  return line;
}

function rows({ items, of, left }) {
  const numbers = new Array(items.length).fill(0);
  for (let row = 0; row < of.length; row += 1) numbers[of[row]] += left[row];
  return items.map((item, at) =>
    make("li", {}, stroke(item), make("span", {}, item.label), make("span", { class: "n" }, count(numbers[at]))),
  );
}

/** Say what the figures leave out: rates are of the run, whatever is filtered. */
function notes({ column, values, left, notes: said, n }, { filters, points }) {
  const texts = [...said];
  if (n < left.length) texts.push(WORDS.map.leftOut(left.length - n));
  if (filtersCollisions(filters) && column.outcome) {
    texts.push(column.name === FILTERED ? WORDS.map.countsFiltered : WORDS.map.notRefitted);
  }
  if (points) texts.push(WORDS.map.hollow);
  return texts.map((text) => make("p", {}, text));
}

function severities(about) {
  const dot = (severity, colour) => {
    const spot = make("span", { class: "dot", "aria-hidden": "true" });
    spot.style.backgroundColor = colour;
    return make("li", {}, spot, make("span", {}, severity));
  };
  const there = Object.entries(WORDS.map.severities).filter(([key]) => key !== "unhurt" || about.severities.includes(key));
  return make("ul", { class: "dots" }, ...there.map(([key, [word, colour]]) => dot(key === "slight" ? (about.slight ?? word) : word, colour)));
}

/** Write the legend of what is painted. */
export function drawLegend(place, painted, state, about) {
  const { column } = painted;
  const open = place.querySelector("details")?.open ?? !matchMedia("(max-width: 760px)").matches;
  const title = column.unit ? `${column.title} (${column.unit})` : column.title;
  const whole = make(
    "details",
    { open },
    make("summary", {}, make("h2", {}, title)),
    make("p", { class: "n-of" }, WORDS.map.numbersAre),
    make("ul", {}, ...rows(painted)),
    state.points ? severities(about) : null,
    ...notes(painted, state),
  );
  refill(place, whole);
}

/** Collisions: those on a segment, and one that was pointed at. */

import { make, refill } from "../elements.js";
import { figure } from "../figures.js";
import { WORDS } from "../words.js";

const words = WORDS.collisions;

const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });

/** Write the day of a collision, or its year where its record tells no day. */
function dateOf({ date, year }) {
  const read = date ? new Date(date) : null;
  return read && !Number.isNaN(read.getTime()) ? day.format(read) : (year ?? words.noDate);
}

function severity(said, about) {
  const [word, colour] = WORDS.map.severities[said] ?? WORDS.map.severities.unknown;
  const spot = make("span", { class: "dot", "aria-hidden": "true" });
  spot.style.backgroundColor = colour;
  return [spot, ` ${said === "slight" ? (about.slight ?? word) : word}`];
}

/** Tell whether a collision is among those that the filters mean. */
function meets({ severity: said, year, users: who }, { severities, years, users }) {
  if (severities.length && !severities.includes(said)) return false;
  if (years.length && !years.includes(year)) return false;
  return !users.length || users.some((user) => (who ?? []).includes(user));
}

/** List the collisions of a segment that the filters mean, the last first. */
export function collisionList({ store, about }, collisions) {
  const { filters } = store.get();
  const meant = collisions.filter((collision) => meets(collision, filters));
  const left = collisions.length - meant.length;
  const item = (one) =>
    make(
      "li",
      {},
      make(
        "button",
        { type: "button", class: "plain", onclick: () => store.set({ collision: one.collision }) },
        `${dateOf(one)}: `,
        ...severity(one.severity, about),
        make("span", { class: "quiet small" }, one.users?.length ? ` ${one.users.map(words.user).join(", ")}` : ""),
      ),
      one.why ? make("p", { class: "small quiet" }, one.why) : null,
    );
  const when = ({ date, year }) => date ?? String(year ?? "");
  const newest = [...meant].sort((one, other) => (when(one) < when(other) ? 1 : -1));
  return make(
    "div",
    {},
    collisions.length ? null : make("p", { class: "small quiet" }, words.none),
    left ? make("p", { class: "small quiet" }, words.left(left)) : null,
    make("ul", { class: "list" }, ...newest.map(item)),
  );
}

/** Show one collision: what is recorded, where it was placed, or why not. */
export async function collisionPart({ store, api, panel, live, about }, row) {
  const one = await api.get(`collision/${row}.json`);
  if (store.get().collision !== row) return;
  const line = (title, ...value) => make("tr", {}, make("th", { scope: "row" }, title), make("td", {}, ...value));
  const back = make("button", { type: "button", onclick: () => store.set({ collision: null }) }, words.back);
  const to = Number.isInteger(one.segment)
    ? make("button", { type: "button", class: "plain", onclick: () => store.set({ segment: one.segment, collision: null }) }, words.toSegment)
    : null;
  const where = one.why ?? (Number.isInteger(one.segment) ? words.onSegment : words.atJunction);
  refill(
    panel,
    make("h2", {}, words.title(dateOf(one))),
    make(
      "table",
      {},
      make(
        "tbody",
        {},
        line(words.severity, ...severity(one.severity, about)),
        line(words.users, one.users ? one.users.map(words.user).join(", ") || words.noneOfThese : WORDS.page.notKnown),
        line(words.placed, where, " ", to ?? ""),
        line(words.metres, figure(one.metres)),
        line(words.casualties, figure(one.casualties)),
        line(words.id, one.collision_id ?? WORDS.page.notKnown),
      ),
    ),
    make("p", { class: "row" }, back),
  );
  live(words.title(dateOf(one)));
}

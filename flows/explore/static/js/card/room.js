/** The card of a segment: its tiles, its figures, what looks like it, and the collisions on it. */

import { make, refill, swatch } from "../elements.js";
import { figure, plain, withInterval } from "../figures.js";
import { UNKNOWN, colourOf } from "../map/classes.js";
import { collisionList, collisionPart } from "./collisions.js";
import { WORDS } from "../words.js";

const words = WORDS.card;
const FEW_TILES = 6;
const FIRST = [
  "length_m", "cluster_margin", "cluster_source", "years", "n_collisions", "n_ksi", "ksi_per_km_year_eb", "rank",
  "in_high_injury_network", "aadt",
];

/** A button that goes to a segment. */
function goTo(store, row, ...text) {
  return make("button", { type: "button", class: "plain", onclick: () => store.set({ segment: row, tile: null, collision: null }) }, ...text);
}

function head({ store, about }, segment) {
  const type = about.types.find((one) => one.type === segment.type);
  const own = type?.name && type.name !== WORDS.types.number(type.type);
  const seen = type?.words && !own ? make("span", { class: "auto" }, words.automatic(type.words)) : null;
  const kind = type
    ? [swatch(colourOf(type)), " ", make("strong", {}, WORDS.map.typeName(type)), " ", seen]
    : [swatch(UNKNOWN), " ", segment.untyped ? words.untyped(segment.untyped) : WORDS.map.noType];
  const close = make(
    "button",
    { type: "button", class: "close", "aria-label": words.close, title: words.close, onclick: () => store.set({ segment: null, tile: null }) },
    "\u00d7",
  );
  return [
    make("div", { class: "head" }, make("h2", {}, segment.name ?? segment.class ?? WORDS.map.noName), close),
    make("p", { class: "small quiet" }, [segment.class, words.id(segment.segment_id)].filter(Boolean).join(" · ")),
    make("p", { class: "type-of" }, ...kind),
  ];
}

function asking({ store, live }, row, name) {
  const put = (key, other) => () => {
    const { [key]: list, [other]: rest } = store.get();
    store.set({
      [key]: [...list.filter(({ segment }) => segment !== row), { segment: row }],
      [other]: rest.filter(({ segment }) => segment !== row),
      tab: "ask",
    });
    live(words.asked(name));
  };
  return make(
    "div",
    { class: "row" },
    make("button", { type: "button", class: "first", onclick: put("yes", "no") }, words.like),
    make("button", { type: "button", onclick: put("no", "yes") }, words.unlike),
  );
}

function tiles({ store, about }, segment) {
  if (!segment.tiles.length) return make("p", { class: "note" }, words.noTiles);
  if (!about.imagery) return make("p", { class: "note" }, WORDS.map.noImagery);
  const list = make("ul", { class: "pictures" });
  const picture = (tile, at) => {
    const image = make("img", { src: `tile/${tile}?line=1`, alt: "", loading: "lazy", width: 104, height: 104 });
    image.addEventListener("error", () => image.replaceWith(make("span", { class: "small quiet" }, words.noPicture)));
    return make(
      "li",
      {},
      make(
        "button",
        {
          type: "button",
          "aria-label": words.tile(at + 1, segment.tiles.length),
          "aria-pressed": String(store.get().tile === tile),
          "data-tile": tile,
          onclick: () => store.set({ tile: store.get().tile === tile ? null : tile }),
        },
        image,
      ),
    );
  };
  const show = (most) => {
    const rest = segment.tiles.length - most;
    refill(list, ...segment.tiles.slice(0, most).map(picture));
    if (rest > 0) list.append(make("li", {}, make("button", { type: "button", class: "small", onclick: () => show(segment.tiles.length) }, words.moreTiles(rest))));
  };
  show(segment.tiles.length > FEW_TILES ? FEW_TILES - 1 : FEW_TILES);
  return list;
}

function table(rows, caption) {
  const line = ({ title, value, interval, unit, note }) => {
    const [text, range] = withInterval(value, interval, unit);
    const limits = range && make("span", { class: "interval" }, range);
    return make("tr", {}, make("th", { scope: "row" }, title, note ? make("span", { class: "interval" }, note) : null), make("td", { class: typeof value === "string" ? "text" : "figure" }, text, limits));
  };
  return make("table", { class: "figures" }, caption ? make("caption", {}, caption) : null, make("tbody", {}, ...rows.map(line)));
}

/** Show the figures that matter; the others can be unfolded. */
function figures(rows) {
  const first = rows.filter(({ interval, name, more }) => !more && (interval || FIRST.includes(name)));
  const rest = rows.filter((row) => !first.includes(row));
  if (!first.length) return table(rest, words.figures);
  return make(
    "div",
    {},
    table(first, words.figures),
    rest.length ? make("details", { class: "more" }, make("summary", {}, words.more(rest.length)), table(rest)) : null,
  );
}

function alike({ store }, segment) {
  if (!segment.alike.length) return make("p", { class: "small quiet" }, words.noneAlike);
  const item = ({ segment: row, name, metres, likeness }) => {
    const far = Number.isFinite(metres) ? words.away(plain(Math.round(metres), 0)) : null;
    const near = Number.isFinite(likeness) ? words.likeness(figure(likeness)) : null;
    return make("li", {}, goTo(store, row, make("bdi", {}, name ?? words.segment), make("span", { class: "quiet small" }, ` ${[far, near].filter(Boolean).join(", ")}`)));
  };
  return make("ul", { class: "list" }, ...segment.alike.map(item));
}

function draw(context, row, segment) {
  const { panel } = context;
  // a page that corrects types is told nothing of collisions unless it asks: types must not be drawn after them
  const hide = segment.blind;
  const here = make("div", { class: "correct-here", "data-segment": row });
  refill(
    panel,
    ...head(context, segment),
    document.getElementById("tab-ask") ? asking(context, row, segment.name ?? segment.segment_id) : null,
    here,
    make("h3", {}, words.tiles(segment.tiles.length)),
    tiles(context, segment),
    make("h3", {}, words.alike),
    alike(context, segment),
    make("h3", {}, words.known),
    figures(segment.rows),
    hide ? make("p", { class: "note" }, words.hidden) : make("h3", {}, words.collisions(segment.collisions.length)),
    hide ? null : collisionList(context, segment.collisions),
  );
  document.dispatchEvent(new CustomEvent("room", { detail: here }));
  panel.scrollTop = 0;
}

async function drawStreet({ store, api, about, panel }, { name, rows }) {
  const has = (column) => about.columns.some((one) => one.name === column);
  const read = (column) => (has(column) ? api.once(`columns/${column}.json`) : []);
  const [types, lengths] = await Promise.all([read("cluster"), read("length_m")]);
  const item = (row, at) => {
    const type = about.types.find((one) => one.type === types[row]);
    const length = Number.isFinite(lengths[row]) ? words.metres(plain(Math.round(lengths[row]), 0)) : null;
    const text = [words.part(at + 1), type ? WORDS.map.typeName(type) : WORDS.map.noType, length].filter(Boolean).join(" · ");
    return make("li", {}, goTo(store, row, swatch(type ? colourOf(type) : UNKNOWN), ` ${text}`));
  };
  refill(panel, make("h2", {}, name), make("p", { class: "small quiet" }, WORDS.map.segments(rows.length)), make("ul", { class: "list" }, ...rows.map(item)));
}

function nothing(panel, about) {
  refill(
    panel,
    make("h2", {}, words.begin),
    make("p", { class: "small" }, words.beginHow),
    about.note?.length ? make("p", { class: "note warn" }, `${WORDS.page.missing}: ${[about.note].flat().join(" ")}`) : null,
  );
}

/** Start the card. */
export function start(context) {
  const { store, api, panel, live, about } = context;
  async function show() {
    const { segment, collision, street } = store.get();
    try {
      if (collision !== null) return await collisionPart(context, collision);
      if (segment !== null) {
        const read = await api.once(`segment/${segment}.json`);
        if (store.get().segment !== segment || store.get().collision !== null) return null;
        draw(context, segment, read);
        return live(words.shown(read.name ?? read.class ?? read.segment_id));
      }
      if (street !== null) return await drawStreet(context, street);
      return nothing(panel, about);
    } catch (error) {
      return refill(panel, make("p", { class: "refused" }, `${WORDS.page.refused}: ${error.message}`));
    }
  }
  store.on(["segment", "collision", "street", "version", "types", "filters"], show);
  store.on(["tile"], ({ tile }) => {
    for (const button of panel.querySelectorAll("[data-tile]")) button.setAttribute("aria-pressed", String(Number(button.dataset.tile) === tile));
  });
  return show();
}

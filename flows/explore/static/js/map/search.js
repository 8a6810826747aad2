/** Going to a street by its name or to a segment by its id, with the keyboard alone. */

import { later, make, refill } from "../elements.js";
import { WORDS } from "../words.js";

const MOST = 12;
const words = WORDS.go;

const plainly = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

/** Gather the rows of each name, and each id. */
async function readIndex(api, about) {
  const has = (name) => about.columns.some((column) => column.name === name);
  const [ids, names] = await Promise.all([
    api.once("columns/segment_id.json"),
    has("name") ? api.once("columns/name.json") : [],
  ]);
  const streets = new Map();
  names.forEach((name, row) => {
    if (name === null || !String(name).trim()) return;
    if (!streets.has(name)) streets.set(name, []);
    streets.get(name).push(row);
  });
  return { ids, streets: [...streets].map(([name, rows]) => ({ name, rows, plain: plainly(String(name)) })) };
}

/** Find streets whose name holds what was typed, those that begin with it first, and segments whose id begins with it. */
function look({ ids, streets }, typed) {
  const sought = plainly(typed.trim());
  if (!sought) return [];
  const order = ({ plain }) => (plain.startsWith(sought) ? 0 : 1);
  const found = streets.filter(({ plain }) => plain.includes(sought));
  found.sort((one, other) => order(one) - order(other) || (one.plain < other.plain ? -1 : 1));
  const answers = found.slice(0, MOST).map(({ name, rows }) => ({ text: words.street(name, rows.length), rows, name }));
  for (let row = 0; row < ids.length && answers.length < MOST; row += 1) {
    if (ids[row].toLowerCase().startsWith(typed.trim().toLowerCase())) {
      answers.push({ text: words.segment(ids[row]), rows: [row], name: ids[row] });
    }
  }
  return answers;
}

/** Make the field; `go({rows, name})` is called with what was chosen. */
export function makeSearch(form, { api, about, live, go }) {
  let index = null;
  let answers = [];
  let at = -1;
  const list = make("ul", { id: "go-list", role: "listbox", "aria-label": words.found, hidden: true });
  const input = make("input", {
    type: "search",
    id: "go-field",
    role: "combobox",
    "aria-label": words.label,
    "aria-controls": "go-list",
    "aria-expanded": "false",
    "aria-autocomplete": "list",
    placeholder: words.label,
  });

  const close = () => {
    answers = [];
    list.hidden = true;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };
  const choose = (number) => {
    const chosen = answers[number];
    if (!chosen) return;
    close();
    input.value = "";
    go(chosen);
  };
  const mark = (number) => {
    at = number;
    [...list.children].forEach((option, place) => option.setAttribute("aria-selected", String(place === at)));
    if (at >= 0) {
      input.setAttribute("aria-activedescendant", `go-${at}`);
      list.children[at].scrollIntoView({ block: "nearest" });
    }
  };
  const show = async () => {
    const typed = input.value;
    index ??= await readIndex(api, about);
    if (typed !== input.value) return;
    answers = look(index, typed);
    refill(
      list,
      ...answers.map(({ text }, number) =>
        make("li", { id: `go-${number}`, role: "option", "aria-selected": "false", onmousedown: (event) => event.preventDefault(), onclick: () => choose(number) }, text),
      ),
    );
    list.hidden = !answers.length;
    input.setAttribute("aria-expanded", String(answers.length > 0));
    mark(answers.length ? 0 : -1);
    live(typed.trim() ? words.number(answers.length) : "");
  };
  input.addEventListener("input", later(show, 120));
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    const to = { ArrowDown: at + 1, ArrowUp: at - 1 }[event.key];
    if (to !== undefined && answers.length) {
      event.preventDefault();
      mark((to + answers.length) % answers.length);
    } else if (event.key === "Escape" && !list.hidden) {
      event.stopPropagation();
      close();
    }
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (!answers.length) await show();
    if (answers.length) choose(Math.max(at, 0));
    else live(words.nothing(input.value), { seen: true });
  });
  refill(form, input, make("button", { type: "submit" }, words.go), list);
}

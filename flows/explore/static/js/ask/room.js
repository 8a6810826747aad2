/** The room that asks: what is meant by a road, a tile, a picture or words, refined by yes and no. */

import { later, make, refill } from "../elements.js";
import { WORDS } from "../words.js";
import { makeAnswers } from "./answers.js";
import { drawExamples } from "./examples.js";
import { makeKeeping } from "./keeping.js";
import { makeDrop } from "./pictures.js";
import { keepQuestion } from "./question.js";

const words = WORDS.ask;
const STEP = 24;
const WAIT_MS = 40;
const MOVING_MS = 500;
const SLOW_MS = 250;

/** Say what to do without what only the command line knows: `or an example: --like SEGMENT, --at LON,LAT.` */
function withoutOptions(todo) {
  return todo.replace(/(?:,? or)?(?: with)? --[\w-]+(?:[ =][A-Z]{2,}(?:,[A-Z]+)?)?,?/g, "").replace(/[:,]\s*\./g, ".");
}

/** Make the form for words and concepts; `added(example, list)` hears of what was given. */
function makeWords(added) {
  const input = make("input", { type: "text", id: "ask-words", list: "ask-known", maxlength: "200", autocomplete: "off" });
  const known = make("datalist", { id: "ask-known" });
  const add = (list) => {
    const text = input.value.trim();
    if (!text) return input.focus();
    input.value = "";
    return added({ text }, list);
  };
  const form = make(
    "form",
    { id: "ask-by-words" },
    make("label", { for: "ask-words" }, words.byWords),
    make("div", { class: "row" }, input, known, make("button", { type: "submit" }, words.short.yes), make("button", { type: "button", onclick: () => add("no") }, words.short.no)),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    add("yes");
  });
  const concepts = make("div", { class: "concepts" });
  const conceptsLike = (list) => {
    const item = (one) =>
      make(
        "li",
        {},
        make("button", { type: "button", class: "small", disabled: !one.can, onclick: () => added({ concept: one.name }, "yes") }, one.name),
        make("span", { class: "small quiet" }, one.can ? one.note : words.cannot(one.why_not)),
      );
    refill(concepts, ...(list.length ? [make("h3", {}, words.concepts), make("ul", { class: "list" }, ...list.map(item))] : []));
  };
  return {
    parts: [form, concepts],
    know: (list) => refill(known, ...list.filter(({ word }) => word).map(({ word, note }) => make("option", { value: word }, note ?? ""))),
    conceptsLike,
  };
}

/** Make the choices of which roads are asked about; `changed()` is called when one is made. */
function makeChoices({ store, about, question, changed }) {
  const option = (value, text) => make("option", { value }, text);
  const own = question.own();
  const over = make("select", { id: "ask-over", onchange: () => store.set({ asking: over.value }) }, option("segments", words.overRoads), option("tiles", words.overTiles));
  const classes = make("select", { id: "ask-class", onchange: () => change({ classes: classes.value ? [classes.value] : [] }) }, option("", words.anyClass), ...(about.classes ?? []).map((name) => option(name, name)));
  const many = make("select", { id: "ask-collisions", onchange: () => change({ collisions: many.value }) }, option("", words.anyCollisions), option("many", words.many), option("few", words.few));
  const inView = make("input", { type: "checkbox", id: "ask-in-view", onchange: () => change({ inView: inView.checked }) });
  const change = (changes) => {
    question.change({ ...changes, shown: STEP });
    changed();
  };
  const blind = () => {
    const hidden = about.edit && !store.get().collisions;
    many.disabled = hidden;
    many.title = hidden ? words.blind : "";
    if (hidden && many.value) {
      many.value = "";
      change({ collisions: "" });
    }
  };
  over.value = store.get().asking;
  classes.value = own.classes[0] ?? "";
  many.value = own.collisions;
  inView.checked = own.inView;
  store.on(["collisions"], blind);
  store.on(["asking"], ({ asking }) => (over.value = asking));
  blind();
  const labelled = (text, element) => make("label", {}, make("span", {}, text), element);
  return {
    element: make(
      "div",
      { class: "choices" },
      labelled(words.answersAre, over),
      labelled(WORDS.filters.classes, classes),
      labelled(words.collisions, many),
      make("label", { class: "tick" }, inView, words.inView),
    ),
    noTiles() {
      over.querySelector("option[value=tiles]").disabled = true;
      over.title = words.noTiles;
      if (store.get().asking === "tiles") store.set({ asking: "segments" });
    },
  };
}

/** Start the room. */
export async function start({ store, api, panel, live, about }) {
  const question = keepQuestion(store, `roadprint-ask-${about.run}`);
  question.read();
  let running = null;
  let told = [];
  let cannot = null; // why this run cannot be asked at all: it stands, whatever is asked
  const state = make("p", { class: "small quiet", id: "ask-state" });
  const trouble = make("div", { class: "refused", role: "alert", hidden: true });
  const said = make("p", { class: "small quiet", hidden: true });
  const examples = make("div", { id: "ask-examples" });

  function refused(answered) {
    const error = answered ?? cannot;
    trouble.hidden = !error;
    if (!error) return refill(trouble);
    const what = error.what ? [error.where, error.what].filter(Boolean).join(": ") : error.message;
    const todo = error.todo && withoutOptions(error.todo);
    return refill(trouble, make("p", {}, what), todo ? make("p", {}, todo) : null);
  }

  /** Take an example up; words only if somebody knows them, or the whole question would be refused. */
  async function tell(example, list) {
    refused(null);
    try {
      if (example.text && list === "yes") await api.post("ask.json", { text: [example.text], shown: 1 });
      else if (example.text && question.any()) {
        const wish = question.wish();
        await api.post("ask.json", { ...wish, unlike_text: [...wish.unlike_text, example.text], shown: 1 });
      }
      question.say(example, list);
    } catch (error) {
      refused(error);
    }
  }

  const answerAs = ({ segment, tile }) => (store.get().asking === "tiles" ? { tile } : { segment });
  const answers = makeAnswers({
    store,
    about,
    live,
    say: (answer, list) => tell(answerAs(answer), list),
    undo: () => live(question.undo() ? words.undone : words.nothingToUndo),
  });
  const drop = makeDrop({ api, live, refused, added: (example) => tell(example, "yes") });
  const text = makeWords(tell);
  const choices = makeChoices({ store, about, question, changed: () => ask() });
  const more = make("button", { type: "button", id: "ask-more", hidden: true }, words.more);
  const keeping = makeKeeping({ api, about, question, live, refused, saved: () => readConcepts() });
  const pick = make("button", { type: "button", id: "ask-pick", "aria-pressed": "false", onclick: () => store.set({ pick: !store.get().pick }) }, words.pick);

  async function readConcepts() {
    const { concepts } = await api.get("concepts.json").catch(() => ({ concepts: [] }));
    text.conceptsLike(concepts);
  }

  function show(found, before) {
    told = found.examples;
    const meant = told.filter((one) => one.meant);
    const whyOf = ({ why, why_of: at }) => (at === null ? why : words.example(at + 1, meant[at].name ?? meant[at].label));
    store.set({ answers: found.answers.map((answer) => ({ ...answer, why: whyOf(answer) })) });
    const key = ({ segment, tile }) => `${segment} ${found.over === "tiles" ? tile : ""}`;
    const known = new Set(before.map(key));
    const fresh = found.answers.filter((one) => !known.has(key(one))).length;
    const of = found.answers[0]?.of_all ?? 0;
    state.textContent = found.answers.length ? words.state(found.answers.length, of, found.over, found.took_ms) : words.none;
    live(found.answers.length ? words.changed(found.answers.length, before.length ? fresh : null) : words.none);
    more.hidden = found.answers.length < question.own().shown;
    said.hidden = !found.said.length;
    said.textContent = found.said.map(({ asked, words: known_ }) => words.taken(asked, known_)).join(" ");
  }

  function nothing() {
    told = [];
    store.set({ answers: [] });
    state.textContent = "";
    more.hidden = true;
    said.hidden = true;
  }

  async function ask() {
    running?.abort();
    refused(null);
    keeping.hidden = !question.any();
    if (!question.any()) {
      running = null;
      answers.element.removeAttribute("aria-busy");
      nothing();
      drawAll();
      if (store.get().no.length) state.textContent = words.onlyNo;
      return;
    }
    const mine = (running = new AbortController());
    const before = store.get().answers;
    const slow = setTimeout(() => (state.textContent = words.asking), SLOW_MS);
    answers.element.setAttribute("aria-busy", "true");
    try {
      const found = await api.post("ask.json", question.wish(), { signal: mine.signal });
      if (mine === running) show(found, before);
    } catch (error) {
      if (mine !== running || error.name === "AbortError") return;
      // answers of another question would be taken for those of this one
      nothing();
      refused(error);
    } finally {
      clearTimeout(slow);
      if (mine === running) {
        answers.element.removeAttribute("aria-busy");
        drawAll();
      }
    }
  }

  const drawAll = () => {
    drawExamples(examples, { store, question, pictureOf: drop.pictureOf, about }, told);
    answers.draw();
  };
  const soon = later(ask, WAIT_MS);
  const afterMoving = later(ask, MOVING_MS);
  more.addEventListener("click", () => {
    question.change({ shown: question.own().shown + STEP });
    ask();
  });
  panel.addEventListener("keydown", (event) => {
    const typing = event.target.matches("input, textarea, select");
    if (event.key !== "u" || typing || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    live(question.undo() ? words.undone : words.nothingToUndo);
  });
  refill(
    panel,
    make("h2", {}, words.title),
    make("p", { class: "small quiet" }, words.how),
    make("div", { class: "row" }, pick),
    ...drop.parts,
    ...text.parts,
    choices.element,
    trouble,
    examples,
    said,
    state,
    answers.element,
    more,
    keeping,
    make("p", { class: "small quiet" }, words.keys),
    make("p", { class: "small quiet" }, words.honest),
  );
  store.on(["yes", "no"], () => {
    drawAll();
    soon();
  });
  store.on(["asking"], soon);
  store.on(["view"], () => question.own().inView && question.any() && afterMoving());
  store.on(["pick"], ({ pick: on }) => {
    pick.setAttribute("aria-pressed", String(on));
    live(on ? words.picking : words.notPicking);
  });
  drawAll();
  ask();
  readConcepts();
  // what is needed for answers is read while the reader looks about
  api.get("askable.json").then((known) => {
    if (!known.can) refused((cannot = { what: known.why_not, todo: known.todo }));
    if (!known.tiles) choices.noTiles();
    text.know(known.words);
  }, refused);
}

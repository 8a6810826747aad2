/** Start the page: read what the run is, then start each room with what all of them share. */

import { makeApi } from "./api.js";
import { make, refill } from "./elements.js";
import { makeStore } from "./store.js";
import { WORDS } from "./words.js";

// Each room has `start(context)`, and may have `edits: true` to be there only where corrections may be written.
const ROOMS = [
  { name: "map", file: "./map/room.js" },
  { name: "card", file: "./card/room.js" },
  { name: "types", file: "./card/types.js" },
  { name: "gallery", file: "./gallery/room.js" },
  { name: "ask", file: "./ask/room.js" },
  { name: "filters", file: "./card/filters.js" },
  { name: "correct", file: "./correct/room.js", edits: true },
];
const ALIVE_EVERY_MS = 5000;
const SEEN_MS = 9000;
const NOTHING = { types: [], columns: [], classes: [], users: [], severities: [], years: [], counts: {}, imagery: false };

const store = makeStore();
let edits = false;
const api = makeApi({
  sees: () => edits && store.get().collisions,
  gone(gone) {
    if (gone) store.set({ server: "gone" });
    else if (store.get().server === "gone") store.set({ server: "there" });
  },
});

let fading;

/** Say to a screen reader what changed; `seen`: to everybody, for a while. */
function live(text, { seen = false } = {}) {
  document.getElementById("live").textContent = text;
  if (!seen) return;
  const toast = document.getElementById("toast");
  toast.textContent = text;
  toast.hidden = false;
  clearTimeout(fading);
  fading = setTimeout(() => {
    toast.hidden = true;
  }, SEEN_MS);
}

/** Show a message over the page, or none. */
function banner(text) {
  const place = document.getElementById("banner");
  place.textContent = text;
  place.hidden = !text;
}

function wordsOfPage() {
  const word = (path) => path.split(".").reduce((words, key) => words[key], WORDS);
  for (const element of document.querySelectorAll("[data-word]")) element.textContent = word(element.dataset.word);
  for (const element of document.querySelectorAll("[data-label]")) {
    element.setAttribute("aria-label", word(element.dataset.label));
  }
}

/** Make the tabs of the rooms that have a panel; arrow keys go from one to the next. */
function makeTabs(names) {
  const bar = document.getElementById("tabs");
  const tab = (name) =>
    make(
      "button",
      { type: "button", role: "tab", id: `tab-${name}`, "aria-controls": name, onclick: () => store.set({ tab: name }) },
      WORDS.tabs[name],
    );
  refill(bar, ...names.map(tab));
  bar.addEventListener("keydown", (event) => {
    const at = names.indexOf(store.get().tab);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: names.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const name = names[(to + names.length) % names.length];
    store.set({ tab: name });
    document.getElementById(`tab-${name}`).focus();
  });
  const show = () => {
    const open = names.includes(store.get().tab) ? store.get().tab : names[0];
    for (const name of names) {
      const button = document.getElementById(`tab-${name}`);
      button.setAttribute("aria-selected", String(name === open));
      button.tabIndex = name === open ? 0 : -1;
      document.getElementById(name).hidden = name !== open;
    }
  };
  store.on(["tab"], show);
  show();
}

/** Read anew what may have another name now, and have all that is shown drawn again. */
async function readAgain(about) {
  api.forget();
  Object.assign(about, await api.get("about.json"));
  store.set({ types: [...about.types], version: store.get().version + 1 });
}

function watchServer(about) {
  let version = null;
  store.on(["server"], ({ server }) => {
    banner(server === "there" ? "" : WORDS.page[server]);
    if (server === "there") live(WORDS.page.back);
  });
  setInterval(async () => {
    if (document.hidden) return;
    const now = await api.get("changed.json").catch(() => null);
    if (!now) return;
    if (now.changed) store.set({ server: "replaced" });
    else if (now.newer) store.set({ server: "newer" });
    if (version !== null && now.version !== version) await readAgain(about).catch(console.error);
    version = now.version;
  }, ALIVE_EVERY_MS);
}

async function begin() {
  wordsOfPage();
  const about = { ...NOTHING, ...(await api.get("about.json")) };
  document.title = WORDS.page.title(about.city);
  document.getElementById("city").textContent = about.city;
  document.getElementById("run-of").textContent = WORDS.page.made(about.run, about.made);
  watchServer(about);
  edits = about.edit;
  store.set({ collisions: !about.edit });
  store.on(["collisions"], () => readAgain(about).catch(console.error));
  const rooms = ROOMS.filter(({ edits }) => !edits || about.edit);
  makeTabs(rooms.filter(({ name }) => name in WORDS.tabs).map(({ name }) => name));
  for (const { name, file } of rooms) {
    const panel = document.getElementById(name);
    try {
      const { start } = await import(file);
      await start({ store, api, words: WORDS, panel, live, about });
    } catch (error) {
      console.error(error);
      panel?.append(make("p", { class: "refused" }, WORDS.page.roomFailed(WORDS.tabs[name] ?? name)));
    }
  }
}

begin().catch((error) => {
  console.error(error);
  banner(error.message || WORDS.page.gone);
});

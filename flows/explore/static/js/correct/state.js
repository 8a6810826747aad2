/** What was said of types, as the server has it: read again and again, so that what another page says appears. */

import { Refused } from "../api.js";
import { ofBrowser, ofTab } from "../shelf.js";

const EVERY_MS = 3000;
const WHO = "roadprint-by";

/** Under this name it is kept, as long as the tab is open, that collisions were in view. */
export const SAW = "roadprint-saw-collisions";

/** Make what the parts of this room share. `words`: WORDS.correct; `tell(text, bad)`: says what became of a word. */
export function makeState({ store, api, about, words, live }) {
  const listeners = [];
  let stands = { version: "", types: [], said: [], next: null, undo: null, why_not: "" };
  let last = Promise.resolve();
  let waiting = 0;
  let by = ofBrowser.get(WHO) ?? "";

  function changed() {
    for (const called of listeners) called(stands);
  }

  /** Give the types of the page the names and colours that they have by now, and tell it where these differ. */
  function rename() {
    let differs = false;
    for (const type of about.types) {
      const now = stands.types.find((one) => one.type === type.type);
      if (!now) continue;
      const name = now.name || words.number(type.type);
      differs ||= type.name !== name || type.color !== now.color || (type.note ?? "") !== now.note;
      Object.assign(type, { name, color: now.color, note: now.note });
    }
    if (differs) store.set({ types: about.types.map((type) => ({ ...type })) });
  }

  function take(told) {
    if (told.same) return;
    stands = { ...stands, ...told };
    if (!by && told.user) by = told.user;
    rename();
    changed();
  }

  async function read(fresh) {
    const asked = new URLSearchParams({ by, version: fresh ? "" : stands.version });
    take(await api.get(`said.json?${asked}`));
  }

  /** Send what is said once what was said before is answered; gives whether it was taken. */
  function send(path, body, done) {
    waiting += 1;
    live(words.writing);
    last = last.then(() => sendNow(path, body(), done)).finally(() => (waiting -= 1));
    return last;
  }

  async function sendNow(path, body, done) {
    const collisions = store.get().collisions || ofTab.get(SAW) !== null;
    try {
      // pictures that are still asked for do not come before what is said
      const told = await api.post(path, { by, page: api.page, collisions, ...body }, { priority: "high" });
      take({ ...told, fault: null, instead: null });
      live(typeof done === "function" ? done() : done);
      return true;
    } catch (error) {
      if (error instanceof Refused && error.rest.stands) take(error.rest.stands);
      const contradicts = path === "said.json" && error.status === 409 && error.rest.stands && !body.instead;
      fail(error, contradicts ? () => send(path, () => ({ ...body, instead: true }), done) : null);
      return false;
    }
  }

  /** Show what was refused; `instead` says it in the place of what it contradicts. */
  function fail(error, instead = null) {
    const fault = error instanceof Refused ? words.refused(error) : error.message;
    stands = { ...stands, fault, instead };
    live(fault);
    changed();
  }

  return {
    get: () => stands,
    who: () => by,
    on: (called) => listeners.push(called),

    /** Say who it is that corrects. */
    call(name) {
      by = name.trim();
      ofBrowser.set(WHO, by);
      return read(true).catch(fail);
    },

    say: (said, done) => send("said.json", () => ({ words: said }), done),
    again: (name, done) => send("again.json", () => ({ name }), done),
    make: (body, done) => send("types.json", () => body, done),
    type: (number, body, done) => send(`types/${number}.json`, () => body, done),
    undo() {
      if (!stands.undo && !waiting) return live(words.nothingToUndo);
      let was = "";
      const what = () => {
        was = stands.undo?.what.join("; ") ?? "";
        return { name: stands.undo?.name ?? "" };
      };
      return send("undo.json", what, () => words.undone(was));
    },

    forgive() {
      if (!stands.fault) return;
      stands = { ...stands, fault: null, instead: null };
      changed();
    },

    async start() {
      store.on(["version"], rename);
      await read(true).catch(fail);
      setInterval(() => {
        if (!document.hidden && !waiting) read(false).catch(() => {});
      }, EVERY_MS);
    },
  };
}

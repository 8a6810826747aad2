/** What the browser keeps for the page. One that may keep nothing (a reader can forbid it) keeps it until the page is closed. */

function makeShelf(name) {
  const here = new Map();
  const there = (ask) => {
    try {
      return ask(globalThis[name]);
    } catch {
      return undefined;
    }
  };
  return {
    /** Give the text that is kept under a key; null: none. */
    get: (key) => there((kept) => kept.getItem(key)) ?? here.get(key) ?? null,

    /** Keep a text. */
    set(key, text) {
      here.set(key, text);
      there((kept) => kept.setItem(key, text));
    },

    remove(key) {
      here.delete(key);
      there((kept) => kept.removeItem(key));
    },
  };
}

/** What is kept as long as the tab is open, and what stays in the browser. */
export const [ofTab, ofBrowser] = ["sessionStorage", "localStorage"].map(makeShelf);

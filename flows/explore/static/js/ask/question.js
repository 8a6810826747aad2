/** What is asked, kept for as long as the tab: examples in the store, all else here. */

import { ofTab } from "../shelf.js";

const BEGINNING = { classes: [], inView: false, collisions: "", shown: 24 };
const TILE_PX = 512;

/** Tell whether two examples are the same one. */
export function sameExample(one, other) {
  return ["segment", "tile", "picture", "text", "concept"].every((key) => one[key] === other[key]);
}

/** Give the box of what the map shows, in degrees: west, south, east, north; null: nothing is shown. */
function box(view, element) {
  if (!view || !element) return null;
  const [lon, lat, zoom] = view;
  const world = TILE_PX * 2 ** zoom;
  const [wide, tall] = [element.clientWidth / world, element.clientHeight / world];
  const x = (lon + 180) / 360;
  const y = 0.5 - Math.asinh(Math.tan((lat * Math.PI) / 180)) / (2 * Math.PI);
  const latOf = (at) => (Math.atan(Math.sinh(Math.PI * (1 - 2 * at))) * 180) / Math.PI;
  const [west, east] = [x - wide / 2, x + wide / 2].map((at) => Math.max(-180, Math.min(180, at * 360 - 180)));
  return [west, latOf(y + tall / 2), east, latOf(y - tall / 2)];
}

/** Keep a question; `key` is what it is kept under in the tab. */
export function keepQuestion(store, key) {
  let own = { ...BEGINNING };
  let before = { yes: store.get().yes, no: store.get().no };
  const past = [];
  let undoing = false;

  function write() {
    const { yes, no, asking } = store.get();
    const { shown, ...kept } = own;
    ofTab.set(key, JSON.stringify({ yes, no, asking, own: kept }));
  }

  function read() {
    const { yes, no } = store.get();
    if (yes.length || no.length) return;
    try {
      const kept = JSON.parse(ofTab.get(key) ?? "null");
      if (!kept) return;
      own = { ...BEGINNING, ...kept.own };
      store.set({ yes: kept.yes ?? [], no: kept.no ?? [], asking: kept.asking ?? "segments" });
      before = { yes: store.get().yes, no: store.get().no };
      past.length = 0;
    } catch {
      ofTab.remove(key);
    }
  }

  store.on(["yes", "no"], ({ yes, no }) => {
    if (!undoing) past.push(before);
    before = { yes, no };
    own.shown = BEGINNING.shown;
    write();
  });
  store.on(["asking"], () => {
    own.shown = BEGINNING.shown;
    write();
  });

  return {
    read,
    own: () => own,
    change(changes) {
      own = { ...own, ...changes };
      write();
    },

    /** Say of something that it is meant (`yes`), that it is not (`no`), or neither (null). */
    say(example, list) {
      const rest = (name) => store.get()[name].filter((one) => !sameExample(one, example));
      const next = { yes: rest("yes"), no: rest("no") };
      if (list) next[list] = [...next[list], example];
      store.set(next);
    },

    /** Take the last thing back that was said; false: nothing was. */
    undo() {
      const last = past.pop();
      if (!last) return false;
      undoing = true;
      store.set(last);
      undoing = false;
      return true;
    },

    clear: () => store.set({ yes: [], no: [] }),

    /** Tell whether anything says what is meant. */
    any: () => store.get().yes.length > 0,

    /** Lay the question out as the server reads it. */
    wish() {
      const { yes, no, asking, view } = store.get();
      const of = (list, name) => list.map((one) => one[name]).filter((one) => one !== undefined);
      const pictures = [[yes, true], [no, false]].flatMap(([list, meant]) =>
        list.filter(({ picture }) => picture).map(({ picture, label }) => ({ key: picture, name: label, meant })),
      );
      return {
        like: of(yes, "segment"),
        like_tiles: of(yes, "tile"),
        unlike: of(no, "segment"),
        unlike_tiles: of(no, "tile"),
        text: of(yes, "text"),
        unlike_text: of(no, "text"),
        concepts: of(yes, "concept"),
        pictures,
        over: asking,
        classes: own.classes,
        bounds: own.inView ? box(view, document.getElementById("map")) : null,
        collisions: own.collisions || null,
        shown: own.shown,
      };
    },
  };
}

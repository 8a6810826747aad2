/**
 * What the page shows, in one place. Rooms read it, change it, and are told of changes.
 *
 * segment, tile, collision: row of the chosen one, or null; street: {name, rows} that was gone to, or null; type: number
 * of the chosen type, or null; colour: name of the column that segments are coloured by; filters: {classes, users, severities, years}, each
 * a list of what is meant, empty for all; view: [longitude, latitude, zoom]; yes, no: lists of {segment} or {tile};
 * answers: what was found, best first; asking: "segments" or "tiles"; pick: whether a click on the map puts a segment
 * into `yes`; version: raised when what is shown must be read again; types: the types as they are called now, told after
 * a change; collisions: whether what tells of collisions may be seen, which a page that corrects types has to ask for;
 * points: whether collisions are drawn; tab: name of the open panel; server: "there", "gone" or "replaced"; imagery: its opacity, from 0 to 1.
 */
const BEGINNING = {
  segment: null,
  tile: null,
  collision: null,
  street: null,
  type: null,
  colour: "cluster",
  filters: { classes: [], users: [], severities: [], years: [] },
  view: null,
  yes: [],
  no: [],
  answers: [],
  version: 0,
  collisions: false,
  points: false,
  types: null,
  tab: "card",
  asking: "segments",
  pick: false,
  server: "there",
  imagery: 0.9,
};

/** Make a store. */
export function makeStore() {
  let state = Object.freeze({ ...BEGINNING });
  const listeners = [];
  return {
    get: () => state,

    /** Change keys; those who listen to one of those that differ are called once with (state, names of what changed). */
    set(changes) {
      const changed = Object.keys(changes).filter((key) => !same(state[key], changes[key]));
      if (!changed.length) return;
      const unknown = changed.filter((key) => !(key in BEGINNING));
      if (unknown.length) throw new Error(`the store has no ${unknown.join(", ")}`);
      state = Object.freeze({ ...state, ...changes });
      for (const [keys, called] of [...listeners]) {
        if (keys.some((key) => changed.includes(key))) called(state, changed);
      }
    },

    /** Call a function whenever one of the keys changes; give a function that ends it. */
    on(keys, called) {
      const entry = [keys, called];
      listeners.push(entry);
      return () => listeners.splice(listeners.indexOf(entry), 1);
    },
  };
}

function same(one, other) {
  return one === other || JSON.stringify(one) === JSON.stringify(other);
}

/** All English words of the page. Each room has its own key. */

const PLAIN = new Intl.NumberFormat("en-GB");

/** Write a whole number with its thousands apart. */
export const count = (n) => PLAIN.format(n);

const some = (n, one, many) => (n === 1 ? `1 ${one}` : `${count(n)} ${many}`);

export const WORDS = {
  page: {
    title: (city) => `${city} – roadprint`,
    made: (run, when) => `Run ${run}${when ? `, made ${when}` : ""}`,
    skip: "Skip the map, go to the panel",
    side: "Panel",
    tabs: "What the panel shows",
    share: "Copy link",
    shared: "The link to what is shown was copied. It opens on this computer, as long as roadprint explore runs.",
    shareByHand: "The address in the browser's address line is the link to what is shown.",
    gone: "The server was ended: what is on the page stays, nothing more can be read. Start roadprint explore again and open the new address.",
    back: "The server answers again.",
    replaced: "This run was replaced by a newer one. What is shown is from the old one: start roadprint explore again to see the new one.",
    missing: "What is missing in this run",
    refused: "Not possible",
    roomFailed: (name) => `The part ‘${name}’ of the page could not be started; the others work.`,
    loading: "Reading …",
    notKnown: "not known",
  },
  tabs: {
    card: "Segment",
    types: "Types",
    gallery: "Gallery",
    ask: "Ask",
    filters: "Filters",
    correct: "Correct",
  },
  map: {
    room: "Map",
    segments: (n) => some(n, "segment", "segments"),
    collisions: (n) => some(n, "collision", "collisions"),
  },
};

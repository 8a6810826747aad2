/** Asking the server. All addresses are relative to the page, below its token. */

import { ofTab } from "./shelf.js";

/** What the server refused: what was found, where, and what to do. */
export class Refused extends Error {
  constructor(status, { what = "", where = "", todo = "", ...rest } = {}) {
    super([what, where, todo].filter(Boolean).join(" "));
    Object.assign(this, { status, what, where, todo, rest });
  }
}

/** The server does not answer: it was ended. */
export class Gone extends Error {}

const PAGE = "roadprint-page";

/** Give the name of this page, which lasts as long as its tab. */
function nameOfPage() {
  const name = ofTab.get(PAGE) ?? crypto.randomUUID();
  ofTab.set(PAGE, name);
  return name;
}

/**
 * Make the functions that ask the server.
 *
 * `gone(true)` is called when it does not answer, `gone(false)` when it does. `sees()` tells whether addresses are to ask
 * for collisions in this page's name, which a page that corrects types does where its reader wants to see them.
 */
export function makeApi({ gone, sees }) {
  const kept = new Map();
  const page = nameOfPage();
  const full = (path) => (sees() ? `${path}${path.includes("?") ? "&" : "?"}collisions=${page}` : path);

  async function call(path, options = {}) {
    let answer;
    try {
      answer = await fetch(full(path), { credentials: "omit", cache: "no-cache", ...options });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      gone(true);
      throw new Gone(path);
    }
    gone(false);
    if (answer.ok) return answer;
    throw new Refused(answer.status, await answer.json().catch(() => ({ what: `${answer.status} ${answer.statusText}` })));
  }

  return {
    call,
    page,

    /** Give an address as the server has to hear it; for pictures and tiles that the browser reads itself. */
    full,

    /** Read JSON. */
    get: async (path, options) => (await call(path, options)).json(),

    /** Read JSON once; later calls have the same promise, until `forget()`. */
    once(path) {
      const key = full(path);
      if (!kept.has(key)) {
        const reading = call(path).then((answer) => answer.json());
        kept.set(key, reading);
        reading.catch(() => kept.delete(key));
      }
      return kept.get(key);
    },

    forget: () => kept.clear(),

    /** Send JSON and read JSON; what is refused is thrown as `Refused`. `headers` may carry If-Match. */
    async post(path, body, { headers = {}, ...options } = {}) {
      const answer = await call(path, {
        method: "POST",
        headers: { "Content-Type": "application/json", ...headers },
        body: JSON.stringify(body),
        ...options,
      });
      return answer.status === 204 ? null : answer.json();
    },
  };
}

/** Asking the server. All addresses are relative to the page, below its token. */

/** What the server refused: what was found, where, and what to do. */
export class Refused extends Error {
  constructor(status, { what = "", where = "", todo = "", ...rest } = {}) {
    super([what, where, todo].filter(Boolean).join(" "));
    Object.assign(this, { status, what, where, todo, rest });
  }
}

/** The server does not answer: it was ended. */
export class Gone extends Error {}

/** Make the functions that ask the server; `gone(true)` is called when it does not answer, `gone(false)` when it does. */
export function makeApi(gone) {
  const kept = new Map();

  async function call(path, options = {}) {
    let answer;
    try {
      answer = await fetch(path, { credentials: "omit", cache: "no-cache", ...options });
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

    /** Read JSON. */
    get: async (path, options) => (await call(path, options)).json(),

    /** Read JSON once; later calls have the same promise, until `forget()`. */
    once(path) {
      if (!kept.has(path)) {
        const reading = call(path).then((answer) => answer.json());
        kept.set(path, reading);
        reading.catch(() => kept.delete(path));
      }
      return kept.get(path);
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

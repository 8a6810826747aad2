/** Pictures of tiles: a few are asked for at once, what is no longer in view is not waited for, the last ones are kept. */

const AT_ONCE = 6;
const KEPT = 240;

/** Make a loader; `api` asks the server. */
export function makePictures(api) {
  const kept = new Map();
  const waiting = new Map();
  let busy = 0;

  function keep(path, address) {
    kept.set(path, address);
    for (const [oldest, one] of kept) {
      if (kept.size <= KEPT) break;
      kept.delete(oldest);
      URL.revokeObjectURL(one);
    }
  }

  async function load(path, { signal, done, failed }) {
    busy += 1;
    try {
      const answer = await api.call(path, { signal });
      const address = URL.createObjectURL(await answer.blob());
      keep(path, address);
      if (!signal.aborted) done(address);
    } catch (error) {
      if (!signal.aborted) failed(error);
    } finally {
      busy -= 1;
      next();
    }
  }

  function next() {
    while (busy < AT_ONCE && waiting.size) {
      const [path, one] = waiting.entries().next().value;
      waiting.delete(path);
      load(path, one);
    }
  }

  return {
    /** Ask for a picture; the function that is given back lets it go: what was not asked for yet never is. */
    ask(path, done, failed) {
      const there = kept.get(path);
      if (there) {
        kept.delete(path);
        kept.set(path, there);
        done(there);
        return () => {};
      }
      const controller = new AbortController();
      const one = { signal: controller.signal, done, failed };
      waiting.set(path, one);
      queueMicrotask(next);
      return () => {
        if (waiting.get(path) === one) waiting.delete(path);
        controller.abort();
      };
    },
  };
}

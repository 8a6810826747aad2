/** A grid of any number of cells, of which those in view are in the page, and the one that has the focus. */

import { make } from "../elements.js";

const LEAST_PX = 118;
const GAP_PX = 8;
const FOOT_PX = 48;
const SPARE_ROWS = 2;
const HURRY_MS = 150;

/**
 * Make a grid. `fill(cell, at, button)` fills a new cell and gives a function that is called when it leaves the page;
 * `opened(at)` when it is chosen, `pointed(at or null)` when the pointer or the focus is on it, `key(event, at)` for keys
 * that the grid does not know.
 */
export function makeGrid({ label, fill, opened, pointed, key }) {
  const sizer = make("div", { class: "sizer", role: "list", "aria-label": label });
  const scroller = make("div", { class: "tiles", tabindex: "-1" }, sizer);
  const cells = new Map();
  let count = 0;
  let active = 0;
  let columns = 1;
  let side = LEAST_PX;
  let asked = 0;
  let before = { top: 0, at: 0 };
  let hurriedAt = -Infinity;

  const high = () => side + FOOT_PX + GAP_PX;
  const hasFocus = (at) => cells.get(at)?.element.contains(document.activeElement) ?? false;

  function place(element, at) {
    element.style.transform = `translate(${(at % columns) * (side + GAP_PX)}px, ${Math.floor(at / columns) * high()}px)`;
    element.style.width = `${side}px`;
    element.style.height = `${side + FOOT_PX}px`;
  }

  function add(at) {
    const button = make("button", { type: "button", class: "picture", onclick: () => opened(at) });
    const element = make("div", { role: "listitem", class: "cell", "aria-setsize": count, "aria-posinset": at + 1, "data-at": at }, button);
    element.addEventListener("pointerenter", () => pointed(at));
    element.addEventListener("pointerleave", () => pointed(null));
    element.addEventListener("focusin", () => {
      activate(at);
      pointed(at);
    });
    const left = fill(element, at, button);
    place(element, at);
    cells.set(at, { element, button, left });
    reach(at);
    sizer.append(element);
  }

  /** Only the controls of one cell are reached by the Tab key. */
  function reach(at) {
    for (const one of cells.get(at)?.element.querySelectorAll("button") ?? []) one.tabIndex = at === active ? 0 : -1;
  }

  function drop(at) {
    cells.get(at).left?.();
    cells.get(at).element.remove();
    cells.delete(at);
  }

  function activate(at) {
    const before = active;
    active = at;
    reach(before);
    reach(at);
  }

  function draw() {
    asked = 0;
    const first = Math.max(0, Math.floor(scroller.scrollTop / high()) - SPARE_ROWS) * columns;
    const last = Math.min(count, (Math.ceil((scroller.scrollTop + scroller.clientHeight) / high()) + SPARE_ROWS) * columns);
    for (const at of [...cells.keys()]) if ((at < first || at >= last) && !hasFocus(at)) drop(at);
    if (!scroller.clientHeight) return;
    for (let at = first; at < last; at += 1) if (!cells.has(at)) add(at);
    if (count && !cells.has(active)) {
      activate(Math.min(first + SPARE_ROWS * columns, last - 1));
    }
  }

  function soon() {
    asked ||= requestAnimationFrame(draw);
  }

  function measure() {
    const wide = sizer.clientWidth;
    if (!wide) return;
    const top = Math.floor(scroller.scrollTop / high()) * columns;
    columns = Math.max(1, Math.floor((wide + GAP_PX) / (LEAST_PX + GAP_PX)));
    side = Math.floor((wide + GAP_PX) / columns) - GAP_PX;
    sizer.style.height = `${Math.ceil(count / columns) * high()}px`;
    for (const [at, { element }] of cells) place(element, at);
    scroller.scrollTop = Math.floor(top / columns) * high();
    soon();
  }

  /** Bring a cell into view. */
  function show(at) {
    const top = Math.floor(at / columns) * high();
    if (top < scroller.scrollTop) scroller.scrollTop = top;
    else if (top + high() > scroller.scrollTop + scroller.clientHeight) scroller.scrollTop = top + high() - scroller.clientHeight;
    draw();
  }

  function focus(at) {
    show(at);
    activate(at);
    cells.get(at)?.button.focus({ preventScroll: true });
  }

  sizer.addEventListener("keydown", (event) => {
    const page = Math.max(1, Math.floor(scroller.clientHeight / high())) * columns;
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns, PageDown: page, PageUp: -page }[event.key];
    const to = { Home: 0, End: count - 1 }[event.key] ?? (step === undefined ? undefined : active + step);
    if (to === undefined) {
      key(event, active);
      return;
    }
    event.preventDefault();
    if (step !== undefined && Math.abs(step) === columns && (to < 0 || to >= count)) return;
    focus(Math.max(0, Math.min(count - 1, to)));
  });
  scroller.addEventListener(
    "scroll",
    () => {
      const now = performance.now();
      if (now - before.at > HURRY_MS) {
        const lately = now - before.at < 2 * HURRY_MS;
        if (lately && Math.abs(scroller.scrollTop - before.top) > scroller.clientHeight / 2) hurriedAt = now;
        before = { top: scroller.scrollTop, at: now };
      } else if (Math.abs(scroller.scrollTop - before.top) > scroller.clientHeight / 2) hurriedAt = now;
      soon();
    },
    { passive: true },
  );
  new ResizeObserver(measure).observe(scroller);

  return {
    element: scroller,
    show,
    focus,
    cell: (at) => cells.get(at)?.element ?? null,
    shown: () => cells.keys(),

    /** Tell whether cells pass by so fast that nobody looks at one. */
    hurries: () => performance.now() - hurriedAt < HURRY_MS,

    /** Show so many cells from the first one on. */
    reset(many) {
      for (const at of [...cells.keys()]) drop(at);
      count = many;
      active = 0;
      scroller.scrollTop = 0;
      measure();
    },

    /** Fill the cells that are in the page anew. */
    again() {
      const held = [...cells.keys()].find(hasFocus);
      for (const at of [...cells.keys()]) drop(at);
      draw();
      if (held !== undefined) focus(held);
    },
  };
}

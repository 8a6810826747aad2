/* By hand: keys, buttons, the wheel, and fingers. */

/* What the library makes reachable by keyboard within an element: the map is one stop, not several. */
function tabbed(root) {
  return [...root.querySelectorAll("*")].flatMap((one) =>
    [...(one.tabIndex >= 0 ? [one] : []), ...(one.shadowRoot ? tabbed(one.shadowRoot) : [])]);
}

function takeInHand(root, plot, view) {
  const box = byId("map"), tip = byId("tip"), hint = byId("map-hint");
  const wheel = plot.toolbar.tools.find((tool) => tool.type === "WheelZoomTool");
  const ground = root.canvas_view.events_el;

  for (const button of document.querySelectorAll("button[data-zoom]")) {
    const act = { in: () => view.zoom(1 / 1.6), out: () => view.zoom(1.6), all: view.all };
    button.addEventListener("click", act[button.dataset.zoom]);
  }
  const keys = {
    ArrowLeft: () => view.move(-1, 0), ArrowRight: () => view.move(1, 0), ArrowUp: () => view.move(0, 1), ArrowDown: () => view.move(0, -1),
    "+": () => view.zoom(1 / 1.6), "=": () => view.zoom(1 / 1.6), "-": () => view.zoom(1.6), "0": view.all,
  };
  box.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !(event.key in keys)) return;
    event.preventDefault();
    event.stopPropagation();
    keys[event.key]();
  }, true);

  /* The wheel scrolls the page until the map is clicked or reached by keyboard. So does a finger that goes up or down, until the map
     is tapped; one that goes sideways moves the map at once, and so do two. */
  const held = (yes) => { ground.style.touchAction = yes ? "none" : "pan-y"; box.dataset.held = yes; };
  wheel.active = false;
  held(false);
  for (const inner of tabbed(box)) inner.removeAttribute("tabindex");
  let timer = 0, before = null;
  box.addEventListener("pointerdown", () => { wheel.active = true; before = view.now(); box.focus({ preventScroll: true }); }, true);
  box.addEventListener("pointercancel", (event) => {
    if (event.pointerType !== "touch" || box.dataset.held === "true") return;
    /* The page took the finger: what it had moved of the map until then goes back. */
    requestAnimationFrame(() => view.show(before.x, before.y, before.metres));
    hint.hidden = false;
    clearTimeout(timer);
    timer = setTimeout(() => { hint.hidden = true; }, 2500);
  }, true);
  plot.on_event("tap", () => { held(true); hint.hidden = true; });
  box.addEventListener("focusin", () => { wheel.active = true; });
  box.addEventListener("focusout", () => { wheel.active = false; tip.hidden = true; held(false); });
}

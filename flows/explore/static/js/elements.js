/** Making elements. Text goes in as text: what a name holds is never read as markup. */

/**
 * Make an element: `make("button", { class: "small", onclick: ask, "aria-pressed": "false" }, "Ask", icon)`.
 *
 * Attributes that are functions are listeners (`onclick`), `true` is an attribute without a value, null and false are
 * left out. Children are elements or texts; null is left out.
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

/** Put children in an element in place of what it had. */
export function refill(element, ...children) {
  element.replaceChildren(...children.flat().filter((child) => child !== null && child !== undefined));
}

/** A small square of a colour; the colour is set as a property, for a style attribute would be refused. */
export function swatch(colour, kind = "swatch") {
  const square = make("span", { class: kind, "aria-hidden": "true" });
  square.style.backgroundColor = colour;
  return square;
}

/** Wait until nothing was called for so many milliseconds, then call once. */
export function later(called, ms) {
  let waiting;
  return (...given) => {
    clearTimeout(waiting);
    waiting = setTimeout(() => called(...given), ms);
  };
}

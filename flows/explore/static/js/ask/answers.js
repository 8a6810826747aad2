/** The answers as pictures, with yes and no on each; arrow keys go from one to the next. */

import { make, refill } from "../elements.js";
import { figure } from "../figures.js";
import { WORDS } from "../words.js";

const words = WORDS.ask;

/** Make the list of answers; `say(answer, "yes" | "no")` hears of what was said, `undo()` takes the last back. */
export function makeAnswers({ store, about, say, undo, live }) {
  const list = make("ol", { class: "answers", "aria-label": words.answers });
  let at = 0;

  function item(answer, index) {
    const name = answer.name ?? WORDS.map.noName;
    const nothing = () => make("span", { class: "small quiet nothing" }, WORDS.card.noPicture);
    let shown = nothing();
    if (answer.tile !== null && about.imagery) {
      shown = make("img", { src: `tile/${answer.tile}?line=1`, alt: "", loading: "lazy", width: 128, height: 128 });
      shown.addEventListener("error", (event) => event.target.replaceWith(nothing()));
    }
    const said = (which) =>
      make(
        "button",
        { type: "button", class: `small ${which}`, tabindex: "-1", "aria-label": words.say[which](answer.rank, name), onclick: () => speak(index, which) },
        words.short[which],
      );
    const open = make(
      "button",
      {
        type: "button",
        class: "look",
        tabindex: index === at ? "0" : "-1",
        "aria-label": words.answer(answer.rank, name, figure(answer.likeness), answer.why),
        "data-answer": index,
        onclick: () => store.set({ segment: answer.segment, tile: answer.tile, collision: null }),
        onfocus: () => {
          at = index;
          for (const one of list.querySelectorAll(".look")) one.tabIndex = Number(one.dataset.answer) === at ? 0 : -1;
        },
      },
      shown,
      make("span", { class: "rank" }, String(answer.rank)),
    );
    return make(
      "li",
      {},
      open,
      make("span", { class: "name small", title: name }, name),
      make("span", { class: "small quiet" }, words.like(figure(answer.likeness), answer.rank_of_all, answer.of_all)),
      make("span", { class: "small quiet why", title: answer.why }, words.why(answer.why)),
      make("span", { class: "row" }, said("yes"), said("no")),
    );
  }

  const answers = () => store.get().answers;

  function speak(index, which) {
    at = index;
    const answer = answers()[index];
    if (!answer) return;
    live(words.told[which](answer.name ?? WORDS.map.noName));
    say(answer, which);
  }

  function go(to) {
    at = Math.max(0, Math.min(to, answers().length - 1));
    list.querySelector(`.look[data-answer="${at}"]`)?.focus();
  }

  function columns() {
    const items = [...list.children];
    const below = items.findIndex((one) => one.offsetTop > items[0].offsetTop);
    return below < 0 ? items.length : below;
  }

  list.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns(), ArrowUp: -columns() };
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (key in steps) go(at + steps[key]);
    else if (key === "Home") go(0);
    else if (key === "End") go(answers().length - 1);
    else if (key === "y") speak(at, "yes");
    else if (key === "n") speak(at, "no");
    else if (key === "u") undo();
    else return;
    event.preventDefault();
  });

  return {
    element: list,
    draw() {
      const held = list.contains(document.activeElement);
      at = Math.max(0, Math.min(at, answers().length - 1));
      refill(list, ...answers().map(item));
      if (held && answers().length) go(at);
    },
  };
}

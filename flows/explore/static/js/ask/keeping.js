/** Keeping what was asked: as a concept, and its answers as a file. */

import { make, refill } from "../elements.js";
import { WORDS } from "../words.js";

const words = WORDS.ask;
const FORMS = ["gpkg", "geojson", "html"];

/** Hand a file to the reader. */
async function download(api, path, body, name) {
  const answer = await api.call(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  const address = URL.createObjectURL(await answer.blob());
  make("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

/** Make the part that saves and exports; `saved()` hears that the city has a concept more. */
export function makeKeeping({ api, about, question, live, refused, saved }) {
  const name = make("input", { type: "text", id: "ask-name", maxlength: "80", required: true, autocomplete: "off" });
  const replace = make("div", { class: "note warn", role: "alert", hidden: true });
  const form = make(
    "form",
    { id: "ask-save" },
    make("label", { for: "ask-name" }, words.nameIt),
    make("div", { class: "row" }, name, make("button", { type: "submit" }, about.edit ? words.save : words.saveFile)),
    about.edit ? null : make("p", { class: "small quiet" }, words.readOnly),
    replace,
  );

  async function save(instead) {
    const body = { ask: question.wish(), name: name.value, replace: instead };
    refused(null);
    replace.hidden = true;
    try {
      if (about.edit) await api.post("concepts.json", body);
      else await download(api, "concept", body, `${name.value.trim()}.json`);
      live(words.saved(name.value.trim()));
      saved(name.value.trim());
      name.value = "";
    } catch (error) {
      if (error.status !== 409 || instead) refused(error);
      else {
        refill(replace, make("p", {}, error.what), make("button", { type: "button", onclick: () => save(true) }, words.replace));
        replace.hidden = false;
        replace.querySelector("button").focus();
      }
    }
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    save(false);
  });

  const file = (kind) =>
    make(
      "button",
      {
        type: "button",
        "data-form": kind,
        onclick: async () => {
          refused(null);
          try {
            await download(api, "export", { ask: question.wish(), form: kind }, `${about.city}-answers.${kind}`);
            live(words.exported);
          } catch (error) {
            refused(error);
          }
        },
      },
      words.forms[kind],
    );
  return make("div", { class: "keeping", hidden: true }, make("h3", {}, words.keep), form, make("p", { class: "small" }, words.exportAs), make("div", { class: "row" }, ...FORMS.map(file)));
}

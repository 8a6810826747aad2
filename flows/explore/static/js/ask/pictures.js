/** A picture that is dropped or chosen: how much ground it shows is asked for, then it is an example. */

import { make, refill } from "../elements.js";
import { WORDS } from "../words.js";

const words = WORDS.ask;
const MOST_BYTES = 17 * 2 ** 20;
const PIECE = 0x8000;

/** Write bytes as base64, piece by piece: a whole picture is too long for one call. */
function base64(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += PIECE) text += String.fromCharCode(...bytes.subarray(at, at + PIECE));
  return btoa(text);
}

/** Make the place that pictures are dropped on; `added({picture, label})` hears of each that the server could read. */
export function makeDrop({ api, live, added, refused }) {
  const shown = new Map();
  const form = make("form", { class: "ground", hidden: true });
  const input = make("input", { type: "file", id: "ask-file", accept: "image/jpeg,image/png,image/tiff,image/webp,image/bmp,image/jp2,.tif,.tiff,.jp2", class: "unseen" });
  const place = make("div", { class: "drop" }, input, make("label", { for: "ask-file", class: "button" }, words.choose), make("span", { class: "small quiet" }, words.orDrop));

  async function send(file, pixelM) {
    refused(null);
    live(words.reading(file.name));
    form.setAttribute("aria-busy", "true");
    try {
      const data = base64(new Uint8Array(await file.arrayBuffer()));
      const { examples } = await api.post("ask.json", { pictures: [{ name: file.name, data, pixel_m: pixelM }], shown: 1 });
      const { picture, label } = examples[0];
      shown.set(picture, URL.createObjectURL(file));
      form.hidden = true;
      added({ picture, label });
    } catch (error) {
      refused(error);
    } finally {
      form.removeAttribute("aria-busy");
    }
  }

  /** Ask how much ground a pixel shows; a GeoTIFF may say so itself. */
  function ask(file) {
    refused(null);
    if (file.size > MOST_BYTES) {
      refused(new Error(words.tooLarge(file.name, Math.round(MOST_BYTES / 2 ** 20))));
      return;
    }
    const itself = /\.tiff?$|\.jp2$/i.test(file.name);
    const pixel = make("input", { type: "number", id: "ask-pixel", min: "0.01", max: "10", step: "any", required: !itself, placeholder: itself ? words.itself : "0.25" });
    refill(
      form,
      make("label", { for: "ask-pixel" }, words.ground(file.name)),
      make(
        "div",
        { class: "row" },
        pixel,
        make("button", { type: "submit", class: "first" }, words.askPicture),
        make("button", { type: "button", onclick: () => (form.hidden = true) }, words.cancel),
      ),
    );
    form.hidden = false;
    form.onsubmit = (event) => {
      event.preventDefault();
      send(file, pixel.value ? Number(pixel.value) : null);
    };
    pixel.focus();
  }

  input.addEventListener("change", () => {
    if (input.files.length) ask(input.files[0]);
    input.value = "";
  });
  for (const kind of ["dragenter", "dragover"]) {
    place.addEventListener(kind, (event) => {
      event.preventDefault();
      place.classList.add("over");
    });
  }
  place.addEventListener("dragleave", () => place.classList.remove("over"));
  place.addEventListener("drop", (event) => {
    event.preventDefault();
    place.classList.remove("over");
    const [file] = event.dataTransfer.files;
    if (file) ask(file);
    else refused(new Error(words.noFile));
  });
  return { parts: [place, form], pictureOf: (key) => shown.get(key) ?? null };
}

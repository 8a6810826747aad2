/** The imagery under the segments: read where it is there, and told where it is not. */

import { addProtocol } from "../../maplibre/maplibre-gl.mjs";

import { later, make } from "../elements.js";
import { WORDS } from "../words.js";

const BELOW = "marked-far";
const ASK_AGAIN_MS = 1500;
const words = WORDS.map;

/** Read pictures for the map; a place that none shows is drawn as nothing. `lost()` hears of refusals. */
function readPictures(api, lost) {
  let nothing;
  addProtocol("imagery", async ({ url }, { signal }) => {
    nothing ??= await createImageBitmap(new ImageData(1, 1));
    try {
      const answer = await api.call(url.replace("imagery://", "imagery/"), { signal, cache: "default" });
      if (answer.status === 204) return { data: nothing };
      return { data: await createImageBitmap(await answer.blob()) };
    } catch (error) {
      if (error.name === "AbortError") throw error;
      lost();
      return { data: nothing };
    }
  });
}

/** Say something of the imagery in the box of choices, in place of what was said before. */
function tell(place, text) {
  const told = place.querySelector("#of-imagery") ?? make("p", { class: "small quiet", id: "of-imagery" });
  told.textContent = text;
  told.hidden = !text;
  const range = place.querySelector("#opacity");
  if (range) range.after(told);
  else place.append(told);
}

/** Put the imagery under the segments, once it is known what there is of it. */
export async function addImagery({ map, api, store, about, place, live }) {
  let there = null;

  const show = () => {
    const { imagery } = store.get();
    const over = Boolean(map.getLayer("imagery")) && imagery > 0;
    if (map.getLayer("imagery")) {
      map.setPaintProperty("imagery", "raster-opacity", imagery);
      map.setLayoutProperty("imagery", "visibility", over ? "visible" : "none");
    }
    map.setLayoutProperty("halo", "visibility", over ? "visible" : "none");
    const far = over && there?.zooms && map.getZoom() + 1 < there.zooms[0];
    if (there?.imagery) tell(place, [far ? words.imageryNearer : null, there.note, there.licence].filter(Boolean).join(" "));
  };

  async function ask() {
    there = about.imagery ? await api.get("imagery.json") : { imagery: false };
    if (there.imagery && !map.getSource("imagery")) {
      const [minzoom, maxzoom] = there.zooms ?? [0, 20];
      const tiles = ["imagery://{z}/{x}/{y}"];
      map.addSource("imagery", { type: "raster", tiles, tileSize: 256, minzoom, maxzoom, bounds: there.bounds ?? about.bounds });
      map.addLayer({ id: "imagery", type: "raster", source: "imagery", paint: { "raster-fade-duration": 0 } }, BELOW);
    }
    if (!there.imagery) {
      if (map.getLayer("imagery")) map.removeLayer("imagery");
      place.querySelector("#opacity")?.remove();
      const why = [there.gone ?? []].flat().slice(0, 2).join(" ");
      tell(place, [about.imagery ? words.imageryLost : words.noImagery, why].join(" "));
      if (about.imagery) live(words.imageryLost);
    }
    show();
  }

  readPictures(api, later(() => ask().catch(() => null), ASK_AGAIN_MS));
  store.on(["imagery"], show);
  map.on("zoomend", show);
  show();
  await ask();
}

/* The still map goes only when the other one is there. */
const SEGMENT = /^#segment=(.*)$/;

function start(root, data) {
  const plot = root.model, city = makeCity(data), view = makeView(plot, data);
  const painting = makePainting(plot, city, view);
  const points = makePoints(painting, city);
  const names = makeNames(painting, city, view);
  const card = makeCard(painting, city, view, points);
  const box = byId("map");
  makeTip(plot, city, view, painting, points, card);
  makeFinder(city, view, points, card);
  const picture = makePicture(root, painting, points);
  takeInHand(root, plot, view);

  function goTo(i) {
    card.pick(i, true);
    box.scrollIntoView({ block: "center" });
    box.focus({ preventScroll: true });
  }
  for (const button of document.querySelectorAll("button[data-segment]")) {
    const i = city.place.get(button.dataset.segment);
    if (i === undefined) continue;
    button.hidden = false;
    button.addEventListener("click", () => goTo(i));
  }
  /* A link to a segment, on opening and later; a name that is not here is said. */
  function follow() {
    const asked = SEGMENT.exec(location.hash);
    if (!asked) return;
    let id = asked[1];
    try { id = decodeURIComponent(id); } catch (error) { if (!(error instanceof URIError)) throw error; }
    const i = city.place.get(id);
    if (i !== undefined) { goTo(i); return; }
    card.say("The link names segment “" + id + "”, which this map does not hold. "
      + (city.count < data.of ? "It holds " + grouped(city.count) + " of " + grouped(data.of) + " segments: look in the GeoPackage, or the link is of another run." : "The link is of another run or city."));
    box.scrollIntoView({ block: "center" });
  }
  window.addEventListener("hashchange", follow);
  /* A link to the segment that the address names already changes no address, and goes there all the same. */
  document.addEventListener("click", (event) => {
    const link = event.target.closest('a[href^="#segment="]');
    if (link && link.hash === location.hash) follow();
  });
  follow();
  /* For scripts of the reader's own. */
  window.reportMap = { data, city, plot, view, points, names, picture };
  document.documentElement.dataset.map = "ready";
}

/* The library comes unpacked as a script of its own; the page's policy knows its digest. */
async function library() {
  const script = document.createElement("script");
  script.textContent = await unpack("map-library");
  document.head.append(script);
  Bokeh.set_log_level("warn");
}

async function open() {
  const explorer = byId("explorer"), missing = byId("map-missing");
  if (typeof DecompressionStream === "undefined") {
    missing.textContent = "This browser is older than what the map needs that zooms and shows collisions (DecompressionStream, in all browsers since 2023): this one stands still.";
    missing.hidden = false;
    return;
  }
  try {
    const [data] = await Promise.all([unpack("map-data").then(JSON.parse), library()]);
    explorer.hidden = false;
    const views = await Bokeh.embed.embed_item(JSON.parse(byId("map-figure").textContent), "map-canvas");
    start(views.roots[0], data);
    document.documentElement.classList.add("js");
  } catch (error) {
    explorer.hidden = true;
    missing.textContent = "The map that zooms could not be opened in this browser: this one stands still.";
    missing.hidden = false;
    console.error(error);
  }
}
open();

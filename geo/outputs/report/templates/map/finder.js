/* Lists for the keyboard: roads by their name, and the collisions in view. */
const MOST_FOUND = 200;

function makeFinder(city, view, points, card) {
  const { segments } = city;
  const find = byId("find"), found = byId("found"), near = byId("near");
  /* Neither the highest count nor the highest rate leads the list: both favour chance. */
  const ranked = segments.rank.some((n) => n !== null);
  const last = (n) => (n === null ? Infinity : n);
  const order = segments.id.map((_, i) => i).sort((a, b) => (ranked ? last(segments.rank[a]) - last(segments.rank[b]) || 0 : 0) || a - b);
  const words = segments.id.map((id, i) => [id, city.name(i), segments.class[i] || "", city.type(i)].join(" ").toLowerCase());
  const by = ranked ? ", worst by expected rank first" : "";

  function search() {
    const parts = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    const hits = order.filter((i) => parts.every((part) => words[i].includes(part)));
    found.replaceChildren();
    for (const i of hits.slice(0, MOST_FOUND)) {
      const ksi = segments.ksi[i] === null ? "" : ", " + segments.ksi[i] + " KSI";
      element("option", city.name(i) + ": " + counted(segments.collisions[i]) + ksi + ", " + city.type(i), found).value = String(i);
    }
    byId("found-label").textContent = hits.length > MOST_FOUND
      ? grouped(hits.length) + " segments, the first " + MOST_FOUND + " listed" + by
      : grouped(hits.length) + (hits.length === 1 ? " segment" : " segments") + by;
  }
  find.addEventListener("input", search);
  find.addEventListener("keydown", (event) => { if (event.key === "ArrowDown") { event.preventDefault(); found.focus(); } });
  found.addEventListener("change", () => card.pick(Number(found.value), true));
  search();

  let timer = 0;
  function list() {
    const { west, east, south, north } = view.edges(), { x, y } = city.points;
    const seen = points.left().filter((k) => x[k] >= west && x[k] <= east && y[k] >= south && y[k] <= north);
    const chosen = near.value;
    near.replaceChildren();
    for (const k of seen.slice(0, MOST_FOUND)) {
      element("option", points.when(k) + ", " + points.severity(k) + ": " + points.short(k), near).value = String(k);
    }
    near.value = chosen;
    byId("near-label").textContent = grouped(seen.length) + " of the collisions chosen " + (seen.length === 1 ? "is" : "are") + " in view"
      + (seen.length > MOST_FOUND ? ", the first " + MOST_FOUND + " listed" : "");
  }
  const soon = () => { clearTimeout(timer); timer = setTimeout(list, 250); };
  if (near && city.points.count) {
    near.addEventListener("change", () => card.pickPoint(Number(near.value), false));
    view.watch(soon);
    points.watch(soon);
  }
}

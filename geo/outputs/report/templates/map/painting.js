/* How streets are coloured: by one of the city's paints, whose legend says which of its classes are drawn. */
const HEAVY = 1.2;
/* Edges keep pale lines apart from a pale ground; of so many lines, drawn so fine, they would be all that is seen. */
const MANY_LINES = 3000;
const FINE_PX = 2;

function makePainting(plot, city, view) {
  const { data, lines } = city;
  const named = (wanted) => plot.renderers.filter((one) => one.name === wanted);
  const hidden = new Map(data.paints.map((paint) => [paint.key, new Set()]));
  let paint = data.paints[0], drawn = 0, many = false;

  function fill(wanted, content) { named(wanted)[0].data_source.data = content; }

  function paintAll() {
    const layers = { quiet: [], lines: [], heavy: [] };
    const without = hidden.get(paint.key);
    const put = (line, of) => {
      if (without.has(of)) return;
      const [, colour, dash, weight, quiet] = paint.classes[of];
      layers[quiet ? "quiet" : weight >= HEAVY ? "heavy" : "lines"].push([line, colour, dash, of]);
    };
    paint.of.forEach((of, i) => put(lines[i], of));
    if (paint.key === "network") city.network.forEach((line) => put(line, 0));
    for (const [wanted, rows] of Object.entries(layers)) {
      /* Later classes are the graver ones: they are drawn over the others. */
      rows.sort((one, other) => one[3] - other[3]);
      fill(wanted, {
        xs: rows.map(([line]) => line.xs), ys: rows.map(([line]) => line.ys),
        colour: rows.map((row) => row[1]), dash: rows.map((row) => row[2]),
      });
    }
    many = layers.lines.length > MANY_LINES;
    edges();
  }
  /* Lines are finer where a pixel holds more ground, so that streets stay apart. */
  function widths({ metres }) {
    const width = Math.round(10 * Math.min(6, Math.max(0.9, 6 / Math.sqrt(metres)))) / 10;
    if (width === drawn) return;
    drawn = width;
    edges();
    for (const [wanted, part] of [["quiet", 0], ["lines", 1], ["heavy", 1.5]]) {
      const own = part * width;
      for (const one of named(wanted)) {
        const edge = part > 0 && one.glyph.line_color.value === data.edge;
        one.glyph.line_width = { value: part === 0 ? Math.max(0.6, 0.4 * width) : edge ? own + 0.5 + 0.35 * Math.min(own, 3) : own };
      }
    }
  }

  function edges() {
    for (const one of named("lines")) if (one.glyph.line_color.value === data.edge) one.visible = !(many && drawn < FINE_PX);
  }

  function choose(key) {
    paint = data.paints.find((one) => one.key === key);
    for (const legend of document.querySelectorAll("[data-paint]")) legend.hidden = legend.dataset.paint !== key;
    paintAll();
  }
  for (const input of document.querySelectorAll("input[name=paint]")) {
    input.checked = input.value === paint.key;
    input.addEventListener("change", () => { if (input.checked) choose(input.value); });
  }
  for (const legend of document.querySelectorAll("[data-paint]")) {
    for (const input of legend.querySelectorAll("input[data-class]")) {
      input.checked = true;
      input.addEventListener("change", () => {
        const without = hidden.get(legend.dataset.paint);
        if (input.checked) without.delete(Number(input.dataset.class)); else without.add(Number(input.dataset.class));
        paintAll();
      });
    }
  }
  const imagery = byId("imagery");
  if (imagery) {
    const pictures = JSON.parse(byId("map-imagery").textContent);
    const column = (at) => pictures.map((one) => one[at]);
    fill("backdrop", { x: column(0), y: column(1), w: column(2), h: column(3), url: column(4) });
    const apply = () => { named("backdrop")[0].visible = imagery.checked; };
    imagery.addEventListener("change", apply);
    apply();
  }
  choose(paint.key);
  view.watch(widths);

  return {
    fill,
    pick: (line) => fill("picked", { xs: [line.xs], ys: [line.ys], colour: [""], dash: [[]] }),
    hides: (i) => hidden.get(paint.key).has(paint.of[i]),
    legend: () => ({ title: paint.title, classes: paint.classes.filter((_, at) => !hidden.get(paint.key).has(at)) }),
  };
}

/* What the map holds, decoded. */

/* Lines come as steps in units; they are drawn in metres. */
function decodeLine(steps, unit) {
  const xs = [], ys = [];
  let x = 0, y = 0;
  for (let i = 0; i < steps.length; i += 2) {
    x += steps[i]; y += steps[i + 1];
    xs.push(x * unit); ys.push(y * unit);
  }
  return { xs, ys, west: Math.min(...xs), east: Math.max(...xs), south: Math.min(...ys), north: Math.max(...ys) };
}

function awayFrom(line, x, y) {
  let least = Infinity;
  for (let i = 1; i < line.xs.length; i++) {
    const ax = line.xs[i - 1], ay = line.ys[i - 1], dx = line.xs[i] - ax, dy = line.ys[i] - ay;
    const square = dx * dx + dy * dy;
    const t = square === 0 ? 0 : Math.min(1, Math.max(0, ((x - ax) * dx + (y - ay) * dy) / square));
    least = Math.min(least, Math.hypot(ax + t * dx - x, ay + t * dy - y));
  }
  return least;
}

function decodePoints(columns, unit) {
  const added = (steps) => {
    let sum = 0;
    return Float64Array.from(steps || [], (step) => (sum += step) * unit);
  };
  return { ...columns, count: (columns.id || []).length, x: added(columns.x), y: added(columns.y) };
}

function decodeAlike(kinds) {
  const alike = new Map();
  for (const [kind, pairs] of Object.entries(kinds)) {
    for (const [one, other, how] of pairs) {
      for (const [from, to, title] of [[one, other, "Look-alikes: " + kind], [other, one, "Look-alike (" + kind + ") of"]]) {
        if (!alike.has(from)) alike.set(from, new Map());
        const found = alike.get(from);
        if (!found.has(title)) found.set(title, []);
        found.get(title).push([to, how]);
      }
    }
  }
  return alike;
}

function makeCity(data) {
  const segments = data.segments;
  /* Pictures that stand on the cards are not in the data again. */
  const pictures = new Map(Object.entries(JSON.parse(byId("map-pictures").textContent)));
  for (const image of document.querySelectorAll("img[data-tile]")) pictures.set(image.dataset.tile, image.src);
  return {
    data, segments, pictures,
    count: segments.id.length,
    place: new Map(segments.id.map((id, i) => [id, i])),
    lines: segments.line.map((steps) => decodeLine(steps, data.unit)),
    network: data.network.map((steps) => decodeLine(steps, data.unit)),
    points: decodePoints(data.collisions, data.unit),
    alike: decodeAlike(data.alike),
    name: (i) => segments.name[i] || segments.class[i] || "unnamed road",
    type: (i) => (segments.type[i] === null ? "no type" : data.titles[segments.type[i]]),
    rateOf: data.rate_of + " per km and year",
  };
}

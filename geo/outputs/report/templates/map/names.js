/* Names of streets, when near: along their lines, and none over another. */
const NAMES_FROM = 2.6;
const NAME_PX = 12;
const APART_PX = 320;
const MOST_NAMES = 90;

/* Segments of one name that go on in each other become one line. */
function chained(lines) {
  const ends = new Map(), free = new Set(lines), chains = [];
  const key = (x, y) => Math.round(x) + " " + Math.round(y);
  const endsOf = (line) => [key(line.xs[0], line.ys[0]), key(line.xs[line.xs.length - 1], line.ys[line.ys.length - 1])];
  for (const line of lines) for (const end of endsOf(line)) ends.set(end, [...(ends.get(end) || []), line]);
  function grow(path) {
    for (;;) {
      const end = key(path.xs[path.xs.length - 1], path.ys[path.ys.length - 1]);
      const next = (ends.get(end) || []).find((one) => free.has(one));
      if (!next) return;
      free.delete(next);
      const turned = endsOf(next)[0] !== end;
      const order = (of) => (turned ? [...of].reverse() : of).slice(1);
      path.xs.push(...order(next.xs)); path.ys.push(...order(next.ys));
    }
  }
  for (const line of lines) {
    if (!free.has(line)) continue;
    free.delete(line);
    const path = { xs: [...line.xs], ys: [...line.ys] };
    grow(path);
    path.xs.reverse(); path.ys.reverse();
    grow(path);
    chains.push(path);
  }
  return chains;
}

function measured(path) {
  const at = [0];
  for (let i = 1; i < path.xs.length; i++) at.push(at[i - 1] + Math.hypot(path.xs[i] - path.xs[i - 1], path.ys[i] - path.ys[i - 1]));
  return { ...path, at, length: at[at.length - 1], west: Math.min(...path.xs), east: Math.max(...path.xs), south: Math.min(...path.ys), north: Math.max(...path.ys) };
}

function pointAt(path, metres) {
  let i = 1;
  while (i < path.at.length - 1 && path.at[i] < metres) i++;
  const t = (metres - path.at[i - 1]) / ((path.at[i] - path.at[i - 1]) || 1);
  return [path.xs[i - 1] + t * (path.xs[i] - path.xs[i - 1]), path.ys[i - 1] + t * (path.ys[i] - path.ys[i - 1])];
}

function makeNames(painting, city, view) {
  let streets = null, timer = 0, shown = "";
  const pen = document.createElement("canvas").getContext("2d");
  pen.font = "bold " + NAME_PX + "px system-ui, 'DejaVu Sans', Arial, sans-serif";

  function prepare() {
    const byName = new Map();
    city.segments.name.forEach((name, i) => { if (name) byName.set(name, [...(byName.get(name) || []), city.lines[i]]); });
    streets = [...byName].flatMap(([name, lines]) => chained(lines).map((path) => ({ name, width: pen.measureText(name).width, ...measured(path) })));
    streets.sort((one, other) => other.length - one.length);
  }
  /* A name stands where its street is straight enough, within the picture, and clear of other names. */
  function placed() {
    const { metres } = view.now(), edges = view.edges(), found = [], boxes = [], stands = [];
    const near = streets.filter((one) => one.east > edges.west && one.west < edges.east && one.north > edges.south && one.south < edges.north);
    for (const street of near) {
      const needs = (street.width + 8) * metres;
      if (street.length < needs) continue;
      const steps = Math.max(1, Math.floor(street.length / (APART_PX * metres)));
      for (let step = 0; step < steps && found.length < MOST_NAMES; step++) {
        const middle = (step + 0.5) * street.length / steps;
        const [ax, ay] = pointAt(street, middle - needs / 2), [bx, by] = pointAt(street, middle + needs / 2);
        const [x, y] = pointAt(street, middle);
        if (Math.hypot(bx - ax, by - ay) < 0.94 * needs) continue;
        if (x < edges.west + needs / 3 || x > edges.east - needs / 3 || y < edges.south + 8 * metres || y > edges.north - 8 * metres) continue;
        let angle = Math.atan2(by - ay, bx - ax);
        if (angle > Math.PI / 2) angle -= Math.PI; else if (angle <= -Math.PI / 2) angle += Math.PI;
        const parts = Math.max(1, Math.ceil(street.width / NAME_PX));
        const box = Array.from({ length: parts + 1 }, (_, at) => {
          const along = (at / parts - 0.5) * street.width * metres;
          return [x + along * Math.cos(angle), y + along * Math.sin(angle)];
        });
        const tight = 1.25 * NAME_PX * metres;
        if (boxes.some((other) => other.some(([ox, oy]) => box.some(([mx, my]) => Math.hypot(mx - ox, my - oy) < tight)))) continue;
        if (stands.some(([name, sx, sy]) => name === street.name && Math.hypot(sx - x, sy - y) < 0.6 * APART_PX * metres)) continue;
        boxes.push(box);
        stands.push([street.name, x, y]);
        found.push([x, y, street.name, angle]);
      }
    }
    return found;
  }
  function draw() {
    const near = view.now().metres <= NAMES_FROM;
    if (near && streets === null) prepare();
    const found = near ? placed() : [];
    const key = JSON.stringify(found);
    if (key === shown) return;
    shown = key;
    const column = (at) => found.map((row) => row[at]);
    painting.fill("names", { x: column(0), y: column(1), text: column(2), angle: column(3) });
  }
  view.watch(() => { clearTimeout(timer); timer = setTimeout(draw, 120); });
  return { draw };
}

/* The report's map: fills the figure, and shows what is known of the segment that is picked.
   Whatever comes from data is written as text, never as markup. */
(function () {
  "use strict";
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const data = read("map-data");
  const segments = data.segments;
  const count = segments.id.length;
  const place = new Map(segments.id.map((id, i) => [id, i]));
  const box = document.getElementById("map");
  const tip = document.getElementById("tip");
  const details = document.getElementById("details");
  const find = document.getElementById("find");
  const found = document.getElementById("found");
  const UNKNOWN = "not known";
  const MOST_FOUND = 200;
  const REACH_PX = 10;

  const counted = (value) => said(value) + (value === 1 ? " collision" : " collisions");
  const said = (value) => (value === null ? UNKNOWN : String(value));
  const grouped = (n) => String(n).replace(/\B(?=(\d{3})+$)/g, "\u00a0");
  const name = (i) => segments.name[i] || segments.class[i] || "unnamed road";
  const type = (i) => (segments.type[i] === null ? "no type" : data.titles[segments.type[i]]);
  const layer = (i) => "type-" + (segments.type[i] === null ? "none" : segments.type[i]);
  const rateOf = data.rate_of + " per km and year";

  function element(tag, text, parent) {
    const made = document.createElement(tag);
    if (text !== undefined && text !== null) made.textContent = text;
    if (parent) parent.append(made);
    return made;
  }

  /* Lines come as steps in units; they are drawn in metres. */
  function decode(steps) {
    const xs = [], ys = [];
    let x = 0, y = 0;
    for (let i = 0; i < steps.length; i += 2) {
      x += steps[i]; y += steps[i + 1];
      xs.push(x * data.unit); ys.push(y * data.unit);
    }
    return { xs, ys, west: Math.min(...xs), east: Math.max(...xs), south: Math.min(...ys), north: Math.max(...ys) };
  }
  const lines = segments.line.map(decode);

  /* Pictures that stand on the cards are not in the data again. */
  const pictures = new Map(Object.entries(data.pictures));
  for (const image of document.querySelectorAll("img[data-tile]")) pictures.set(image.dataset.tile, image.src);
  const alike = new Map();
  for (const [kind, pairs] of Object.entries(data.alike)) {
    for (const [one, other, how] of pairs) {
      for (const [from, to, title] of [[one, other, "Look-alikes: " + kind], [other, one, "Look-alike (" + kind + ") of"]]) {
        if (!alike.has(from)) alike.set(from, new Map());
        const kinds = alike.get(from);
        if (!kinds.has(title)) kinds.set(title, []);
        kinds.get(title).push([to, how]);
      }
    }
  }

  function away(line, x, y) {
    let least = Infinity;
    for (let i = 1; i < line.xs.length; i++) {
      const ax = line.xs[i - 1], ay = line.ys[i - 1], dx = line.xs[i] - ax, dy = line.ys[i] - ay;
      const square = dx * dx + dy * dy;
      const t = square === 0 ? 0 : Math.min(1, Math.max(0, ((x - ax) * dx + (y - ay) * dy) / square));
      least = Math.min(least, Math.hypot(ax + t * dx - x, ay + t * dy - y));
    }
    return least;
  }

  /* What the library makes reachable by keyboard within an element: the map is one stop, not several. */
  function tabbed(root) {
    return [...root.querySelectorAll("*")].flatMap((one) =>
      [...(one.tabIndex >= 0 ? [one] : []), ...(one.shadowRoot ? tabbed(one.shadowRoot) : [])]);
  }

  function start(plot) {
    const named = (wanted) => plot.renderers.filter((one) => one.name === wanted);
    const wheel = plot.toolbar.tools.find((tool) => tool.type === "WheelZoomTool");
    const hidden = new Set();
    let view = null, fitted = null, extent = null, drawn = 0;

    function fill(wanted, content) {
      const renderers = named(wanted);
      if (renderers.length) renderers[0].data_source.data = content;
    }
    const byLayer = new Map();
    for (let i = 0; i < count; i++) {
      if (!byLayer.has(layer(i))) byLayer.set(layer(i), { xs: [], ys: [] });
      byLayer.get(layer(i)).xs.push(lines[i].xs);
      byLayer.get(layer(i)).ys.push(lines[i].ys);
    }
    for (const [wanted, content] of byLayer) fill(wanted, content);
    for (const [severity, flat] of Object.entries(data.collisions)) {
      const at = (odd) => flat.filter((_, i) => i % 2 === odd).map((v) => v * data.unit);
      fill("collisions-" + severity, { x: at(0), y: at(1) });
    }

    /* One scale for both axes: a metre east is as long as a metre north. */
    function show(x, y, metres) {
      const w = (plot.inner_width || 1) * metres / 2, h = (plot.inner_height || 1) * metres / 2;
      plot.x_range.setv({ start: x - w, end: x + w });
      plot.y_range.setv({ start: y - h, end: y + h });
      view = { x, y, metres };
      widths();
    }
    /* Lines are finer where a pixel holds more ground, so that streets stay apart. */
    function widths() {
      const width = Math.round(10 * Math.min(6, Math.max(0.9, 6 / Math.sqrt(view.metres)))) / 10;
      if (width === drawn) return;
      drawn = width;
      for (const one of plot.renderers) {
        if (!one.name.startsWith("type-")) continue;
        const edge = one.glyph.line_color.value === data.edge;
        one.glyph.line_width = { value: one.name === "type-none" ? Math.max(0.6, 0.4 * width) : edge ? width + 0.5 + 0.35 * Math.min(width, 3) : width };
      }
    }
    function now() {
      const x = plot.x_range, y = plot.y_range;
      return { x: (x.start + x.end) / 2, y: (y.start + y.end) / 2, metres: (y.end - y.start) / (plot.inner_height || 1) };
    }
    function fit(wanted) {
      const [west, south, east, north] = extent = wanted;
      show((west + east) / 2, (south + north) / 2, 1.06 * Math.max((east - west) / (plot.inner_width || 1), (north - south) / (plot.inner_height || 1)));
      fitted = view;
    }
    const all = () => fit([0, 0, data.width, data.height]);
    function zoom(factor) { const at = now(); show(at.x, at.y, at.metres * factor); }
    function move(right, up) {
      const at = now();
      show(at.x + right * at.metres * 80, at.y + up * at.metres * 80, at.metres);
    }
    /* A window of another size keeps the place and the scale; one that was fitted to something goes on showing all of it. */
    function resized() {
      if (!plot.inner_width || !plot.inner_height) return;
      if (same(view, fitted)) fit(extent);
      else show(view.x, view.y, view.metres);
    }
    const same = (one, other) => Math.abs(one.metres / other.metres - 1) < 1e-3 && Math.hypot(one.x - other.x, one.y - other.y) < other.metres;
    plot.on_event("rangesupdate", () => { view = now(); widths(); });
    fit(data.view);
    plot.properties.inner_width.change.connect(resized);
    plot.properties.inner_height.change.connect(resized);

    function nearest(x, y) {
      let reach = REACH_PX * now().metres, best = -1;
      for (let i = 0; i < count; i++) {
        const line = lines[i];
        if (x < line.west - reach || x > line.east + reach || y < line.south - reach || y > line.north + reach) continue;
        if (hidden.has(layer(i))) continue;
        const metres = away(line, x, y);
        if (metres < reach) { reach = metres; best = i; }
      }
      return best;
    }

    function shot(parent, tile, text) {
      const source = pictures.get(tile);
      if (!source) { element("span", "no picture here", parent).className = "none"; return; }
      const image = element("img", null, parent);
      image.src = source;
      image.alt = text;
    }

    function pick(i, travel) {
      const line = lines[i];
      fill("picked", { xs: [line.xs], ys: [line.ys] });
      if (travel) show((line.west + line.east) / 2, (line.south + line.north) / 2, Math.min(now().metres, Math.max(data.width, data.height) / 1500, 2));
      details.replaceChildren();
      details.dataset.segment = segments.id[i];
      element("h3", name(i), details);
      const facts = element("dl", null, details);
      const fact = (title, text) => { element("dt", title, facts); element("dd", text, facts); };
      fact("Segment", segments.id[i]);
      fact("Type", segments.type[i] === null ? "none (" + data.untyped + ")" : type(i));
      fact("Road class", said(segments.class[i]));
      fact("Length", segments.length[i] + " m");
      fact("Collisions", said(segments.collisions[i]));
      fact("KSI collisions", said(segments.ksi[i]) + (segments.untold[i] === null ? "" : " (" + segments.untold[i] + ")"));
      fact(rateOf, said(segments.rate[i]) + (segments.limits[i] === null ? "" : " (" + segments.limits[i] + ")"));
      fact("The same, shrunk", said(segments.shrunk[i]) + (segments.shrunkLimits[i] === null ? "" : " (" + segments.shrunkLimits[i] + ")"));
      showTiles(i);
      showAlike(i);
      if (found.value !== String(i)) found.value = String(i);
    }

    function showTiles(i) {
      const shots = data.shots[segments.id[i]] || [];
      const many = segments.tiles[i] || 0;
      element("h4", "Tiles", details);
      const embedded = "Pictures embedded: " + shots.length + " of " + many + (many === 1 ? " tile." : " tiles.");
      const others = shots.length < many ? " All are outlined in the GeoPackage (layer tiles)." : "";
      element("p", segments.type[i] === null && !shots.length && data.untyped === "no imagery" ? "Imagery covers too little of this road." : embedded + others, details).className = "muted";
      const list = element("ul", null, details);
      for (const [tile, metres] of shots) {
        const item = element("li", null, list);
        shot(item, tile, "Aerial tile of " + name(i) + " at " + metres + " m");
        element("span", "at " + metres + " m", item);
      }
    }

    function showAlike(i) {
      if (!alike.has(i)) {
        element("h4", "Look-alikes", details);
        element("p", segments.type[i] === null ? "None: a road without a type (" + data.untyped + ") is compared with no other." : "None: no other road of its type, far enough away, is more alike than most pairs of roads of its class are.", details).className = "muted";
        return;
      }
      for (const [title, others] of alike.get(i)) {
        element("h4", title, details);
        const list = element("ul", null, details);
        for (const [other, how] of others) {
          const button = element("button", null, element("li", null, list));
          button.type = "button";
          const shots = data.shots[segments.id[other]];
          shot(button, shots && shots[0][0], "");
          element("span", name(other), button);
          element("span", type(other) + ", " + counted(segments.collisions[other]), button);
          if (how) element("span", how, button);
          button.addEventListener("click", () => {
            pick(other, true);
            details.scrollTop = 0;
            const heading = details.querySelector("h3");
            heading.tabIndex = -1;
            heading.focus({ preventScroll: true });
          });
        }
      }
    }

    /* The tip says which segment a click would pick. */
    function hover(event) {
      const i = nearest(event.x, event.y);
      tip.hidden = i < 0;
      if (i < 0) return;
      tip.replaceChildren();
      element("b", name(i), tip);
      element("span", type(i) + (segments.class[i] === null ? "" : ", " + segments.class[i]) + ", " + segments.length[i] + " m", tip);
      element("span", "Collisions " + said(segments.collisions[i]) + ", KSI " + said(segments.ksi[i]) + (segments.untold[i] === null ? "" : "; " + segments.untold[i]), tip);
      element("span", rateOf + ", shrunk: " + said(segments.shrunk[i]) + (segments.shrunkLimits[i] === null ? "" : " (" + segments.shrunkLimits[i] + ")"), tip);
      tip.style.left = Math.max(0, Math.min(event.sx + 14, box.clientWidth - tip.offsetWidth - 4)) + "px";
      const below = event.sy + 16;
      tip.style.top = (below + tip.offsetHeight > box.clientHeight ? Math.max(0, event.sy - tip.offsetHeight - 12) : below) + "px";
    }
    plot.on_event("mousemove", hover);
    plot.on_event("mouseleave", () => { tip.hidden = true; });
    plot.on_event("tap", (event) => {
      const i = nearest(event.x, event.y);
      if (i < 0) return;
      pick(i, false);
      if (details.getBoundingClientRect().top > window.innerHeight - 100) details.scrollIntoView({ block: "nearest" });
    });

    for (const input of document.querySelectorAll("input[data-layer]")) {
      const apply = () => {
        for (const one of named(input.dataset.layer)) one.visible = input.checked;
        if (input.checked) hidden.delete(input.dataset.layer); else hidden.add(input.dataset.layer);
      };
      input.addEventListener("change", apply);
      apply();
    }
    for (const button of document.querySelectorAll("button[data-zoom]")) {
      const act = { in: () => zoom(1 / 1.6), out: () => zoom(1.6), all };
      button.addEventListener("click", act[button.dataset.zoom]);
    }
    const keys = {
      ArrowLeft: () => move(-1, 0), ArrowRight: () => move(1, 0), ArrowUp: () => move(0, 1), ArrowDown: () => move(0, -1),
      "+": () => zoom(1 / 1.6), "=": () => zoom(1 / 1.6), "-": () => zoom(1.6), "0": all,
    };
    box.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || !(event.key in keys)) return;
      event.preventDefault();
      event.stopPropagation();
      keys[event.key]();
    }, true);
    /* The wheel scrolls the page until the map is clicked or reached by keyboard. */
    wheel.active = false;
    for (const inner of tabbed(box)) inner.removeAttribute("tabindex");
    box.addEventListener("pointerdown", () => { wheel.active = true; box.focus({ preventScroll: true }); }, true);
    box.addEventListener("focusin", () => { wheel.active = true; });
    box.addEventListener("focusout", () => { wheel.active = false; tip.hidden = true; });

    /* Neither the highest count nor the highest rate leads the list: both favour chance. */
    const ranked = segments.rank.some((n) => n !== null);
    const last = (n) => (n === null ? Infinity : n);
    const order = segments.id.map((_, i) => i).sort((a, b) => (ranked ? last(segments.rank[a]) - last(segments.rank[b]) || 0 : 0) || a - b);
    const words = segments.id.map((id, i) => [id, name(i), segments.class[i] || "", type(i)].join(" ").toLowerCase());
    const by = ranked ? ", worst by expected rank first" : "";
    function search() {
      const parts = find.value.toLowerCase().split(/\s+/).filter(Boolean);
      const hits = order.filter((i) => parts.every((part) => words[i].includes(part)));
      found.replaceChildren();
      for (const i of hits.slice(0, MOST_FOUND)) {
        const ksi = segments.ksi[i] === null ? "" : ", " + segments.ksi[i] + " KSI";
        element("option", name(i) + ": " + counted(segments.collisions[i]) + ksi + ", " + type(i), found).value = String(i);
      }
      document.getElementById("found-label").textContent = hits.length > MOST_FOUND
        ? grouped(hits.length) + " segments, the first " + MOST_FOUND + " listed" + by
        : grouped(hits.length) + (hits.length === 1 ? " segment" : " segments") + by;
    }
    find.addEventListener("input", search);
    find.addEventListener("keydown", (event) => { if (event.key === "ArrowDown") { event.preventDefault(); found.focus(); } });
    found.addEventListener("change", () => pick(Number(found.value), true));
    search();

    for (const button of document.querySelectorAll("button[data-segment]")) {
      const i = place.get(button.dataset.segment);
      if (i === undefined) continue;
      button.hidden = false;
      button.addEventListener("click", () => { pick(i, true); box.scrollIntoView({ block: "center" }); box.focus({ preventScroll: true }); });
    }
    document.documentElement.dataset.map = "ready";
  }

  /* The still map goes only when the other one is there. */
  const explorer = document.getElementById("explorer");
  Bokeh.set_log_level("warn");
  explorer.hidden = false;
  Bokeh.embed.embed_item(read("map-figure"), "map-canvas").then((views) => {
    start(views.roots[0].model);
    document.documentElement.classList.add("js");
  }).catch((error) => {
    explorer.hidden = true;
    console.error(error);
  });
})();

/* What is known of the segment, or the collision, that is picked. */
function makeCard(painting, city, view, points) {
  const { data, segments, lines } = city;
  const details = byId("details"), found = byId("found"), near = byId("near");
  /* What stands there before anything is picked: the worst roads. */
  const first = [...details.childNodes];
  const facts = () => {
    const list = element("dl", null, details);
    return (title, text) => { element("dt", title, list); element("dd", text, list); };
  };
  const within = (low, text) => said(low) + (text === null ? "" : " (" + text + ")");

  function pick(i, travel) {
    const line = lines[i];
    painting.pick(line);
    painting.fill("marked", { x: [], y: [] });
    if (travel) view.show((line.west + line.east) / 2, (line.south + line.north) / 2, Math.min(view.now().metres, Math.max(data.width, data.height) / 1500, 2));
    details.replaceChildren();
    details.dataset.segment = segments.id[i];
    delete details.dataset.collision;
    element("h3", city.name(i), details);
    back();
    const fact = facts();
    fact("Segment", segments.id[i]);
    fact("Type", segments.type[i] === null ? "none (" + data.untyped + ")" : city.type(i));
    fact("Road class", said(segments.class[i]));
    fact("Length", segments.length[i] + " m");
    fact("Collisions", said(segments.collisions[i]));
    fact("KSI collisions", within(segments.ksi[i], segments.untold[i]));
    fact(city.rateOf, within(segments.rate[i], segments.limits[i]));
    fact("The same, shrunk", within(segments.shrunk[i], segments.shrunkLimits[i]));
    showTiles(i);
    showAlike(i);
    if (found.value !== String(i)) found.value = String(i);
    history.replaceState(null, "", "#segment=" + encodeURIComponent(segments.id[i]));
  }

  function pickPoint(k, travel) {
    const { x, y, id, on } = city.points;
    painting.fill("picked", { xs: [], ys: [], colour: [], dash: [] });
    painting.fill("marked", { x: [x[k]], y: [y[k]] });
    if (travel) view.show(x[k], y[k], Math.min(view.now().metres, 1));
    details.replaceChildren();
    details.dataset.collision = id[k];
    delete details.dataset.segment;
    element("h3", "Collision " + id[k], details);
    back();
    const fact = facts();
    fact("Date", points.when(k));
    fact("Severity", points.severity(k));
    fact("Hurt", points.hurt(k));
    fact("Place", points.where(k));
    if (on[k] !== null && on[k] >= 0) {
      const button = element("button", "Its road: " + city.name(on[k]), details);
      button.type = "button";
      button.addEventListener("click", () => { pick(on[k], false); focusCard(); });
    }
    if (near.value !== String(k)) near.value = String(k);
  }

  function back() {
    if (!details.ownerDocument.querySelector("#worst")) return;
    const button = element("button", "Back to the worst roads", details);
    button.type = "button";
    button.className = "go";
    button.addEventListener("click", () => {
      details.replaceChildren(...first);
      delete details.dataset.segment;
      delete details.dataset.collision;
      found.value = "";
      painting.fill("picked", { xs: [], ys: [], colour: [], dash: [] });
      painting.fill("marked", { x: [], y: [] });
      history.replaceState(null, "", location.pathname + location.search);
      focusCard();
    });
  }

  function focusCard() {
    details.scrollTop = 0;
    const heading = details.querySelector("h3");
    heading.tabIndex = -1;
    heading.focus({ preventScroll: true });
  }

  function say(text) {
    details.replaceChildren();
    delete details.dataset.segment;
    delete details.dataset.collision;
    element("p", text, details);
  }

  function shot(parent, tile, text) {
    const source = city.pictures.get(tile);
    if (!source) { element("span", "no picture here", parent).className = "none"; return; }
    const image = element("img", null, parent);
    image.src = source;
    image.alt = text;
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
      shot(item, tile, "Aerial tile of " + city.name(i) + " at " + metres + " m");
      element("span", "at " + metres + " m", item);
    }
  }

  function showAlike(i) {
    if (!city.alike.has(i)) {
      element("h4", "Look-alikes", details);
      element("p", segments.type[i] === null ? "None: a road without a type (" + data.untyped + ") is compared with no other." : "None: no other road of its type, far enough away, is more alike than most pairs of roads of its class are.", details).className = "muted";
      return;
    }
    for (const [title, others] of city.alike.get(i)) {
      element("h4", title, details);
      const list = element("ul", null, details);
      for (const [other, how] of others) {
        const button = element("button", null, element("li", null, list));
        button.type = "button";
        const shots = data.shots[segments.id[other]];
        shot(button, shots && shots[0][0], "");
        element("span", city.name(other), button);
        element("span", city.type(other) + ", " + counted(segments.collisions[other]), button);
        if (how) element("span", how, button);
        button.addEventListener("click", () => { pick(other, true); focusCard(); });
      }
    }
  }
  return { pick, pickPoint, say };
}

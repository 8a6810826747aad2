/* Collisions: those that the chips leave are drawn, and every chip says how many it would leave with the others as they are. */
function makePoints(painting, city) {
  const { points, data } = city;
  const everybody = data.users.length;
  const groups = [...document.querySelectorAll("fieldset[data-filter]")].map((fieldset) => ({
    key: fieldset.dataset.filter,
    inputs: [...fieldset.querySelectorAll("input")],
  }));
  let left = [];
  const watching = [];

  /* Whether a collision is what a chip says. Of the people hurt there may be several; the last two chips are for none of them, and not told. */
  function is(k, key, value) {
    if (key === "layer") return points.layer[k] === Number(value);
    if (key === "year") return points.year[k] === (value === "" ? null : Number(value));
    const bits = points.users[k], at = Number(value);
    if (at === everybody + 1) return bits === null;
    if (at === everybody) return bits === 0;
    return bits !== null && (bits >> at & 1) === 1;
  }
  function passes(k, { key, on }) { return on.some((value) => is(k, key, value)); }

  function apply() {
    const chosen = groups.map(({ key, inputs }) => ({ key, on: inputs.filter((one) => one.checked).map((one) => one.value) }));
    left = [];
    const counts = groups.map(({ inputs }) => inputs.map(() => 0));
    for (let k = 0; k < points.count; k++) {
      const fails = chosen.flatMap((group, g) => (passes(k, group) ? [] : [g]));
      if (fails.length === 0) left.push(k);
      if (fails.length > 1) continue;
      groups.forEach(({ key, inputs }, g) => {
        if (fails.length === 0 || fails[0] === g) inputs.forEach((input, at) => { if (is(k, key, input.value)) counts[g][at] += 1; });
      });
    }
    groups.forEach(({ inputs }, g) => inputs.forEach((input, at) => { input.parentElement.querySelector("[data-count]").textContent = grouped(counts[g][at]); }));
    data.layers.forEach((layer, at) => {
      const mine = left.filter((k) => points.layer[k] === at);
      painting.fill("collisions-" + layer, { x: mine.map((k) => points.x[k]), y: mine.map((k) => points.y[k]) });
    });
    watching.forEach((one) => one());
  }
  for (const { inputs } of groups) for (const input of inputs) input.addEventListener("change", apply);
  apply();

  function nearest(x, y, reach) {
    let best = -1;
    for (const k of left) {
      const metres = Math.hypot(points.x[k] - x, points.y[k] - y);
      if (metres <= reach) { reach = metres; best = k; }
    }
    return best;
  }
  const layerNames = new Map(groups.flatMap(({ key, inputs }) => (key === "layer" ? inputs.map((one) => [Number(one.value), one.dataset.words]) : [])));
  function hurt(k) {
    const bits = points.users[k];
    if (bits === null) return UNKNOWN;
    return data.users.filter((_, at) => bits >> at & 1).join(", ") || "others";
  }
  function when(k) {
    if (points.day[k] !== null) return new Date(points.day[k] * 86400000).toISOString().slice(0, 10);
    return said(points.year[k]);
  }
  /* Where it was placed, or why it was not. */
  function where(k) {
    const away = points.away[k] === null ? "" : points.away[k] + " m from ";
    if (points.status[k]) return "On no road: " + data.why[points.status[k]] + (away ? "; " + away + "the nearest road" : "");
    const on = points.on[k];
    if (on === -1) return "At a junction" + (away ? ", " + away + "it" : "") + "; it belongs to no segment";
    if (on === -2) return "On a road that this map does not hold";
    return on === null ? "On no road: " + UNKNOWN : "On " + city.name(on) + (away ? ", " + away + "its line" : "");
  }
  function short(k) {
    if (points.status[k]) return "on no road";
    return points.on[k] === -1 ? "at a junction" : points.on[k] >= 0 ? city.name(points.on[k]) : "a road not on this map";
  }
  return {
    nearest, hurt, when, where, short,
    left: () => left,
    severity: (k) => data.severities[points.severity[k]],
    legend: () => [...layerNames].filter(([layer]) => left.some((k) => points.layer[k] === layer)),
    watch: (one) => watching.push(one),
  };
}

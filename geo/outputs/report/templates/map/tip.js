/* Pointing: what a click would pick, and what is known of it in short. */
const REACH_PX = 10;
const POINT_PX = 8;

function makeTip(plot, city, view, painting, points, card) {
  const { segments, lines } = city;
  const box = byId("map"), tip = byId("tip"), details = byId("details");

  function nearestLine(x, y) {
    let reach = REACH_PX * view.now().metres, best = -1;
    for (let i = 0; i < city.count; i++) {
      const line = lines[i];
      if (x < line.west - reach || x > line.east + reach || y < line.south - reach || y > line.north + reach) continue;
      if (painting.hides(i)) continue;
      const metres = awayFrom(line, x, y);
      if (metres < reach) { reach = metres; best = i; }
    }
    return best;
  }
  function under({ x, y }) {
    const point = points.nearest(x, y, POINT_PX * view.now().metres);
    return point >= 0 ? { point } : { segment: nearestLine(x, y) };
  }
  function tellSegment(i) {
    element("b", city.name(i), tip);
    element("span", city.type(i) + (segments.class[i] === null ? "" : ", " + segments.class[i]) + ", " + segments.length[i] + " m", tip);
    element("span", "Collisions " + said(segments.collisions[i]) + ", KSI " + said(segments.ksi[i]) + (segments.untold[i] === null ? "" : "; " + segments.untold[i]), tip);
    element("span", city.rateOf + ", shrunk: " + said(segments.shrunk[i]) + (segments.shrunkLimits[i] === null ? "" : " (" + segments.shrunkLimits[i] + ")"), tip);
  }
  function tellPoint(k) {
    element("b", "Collision, " + points.when(k), tip);
    element("span", "Severity: " + points.severity(k) + "; hurt: " + points.hurt(k), tip);
    element("span", points.where(k), tip);
  }
  plot.on_event("mousemove", (event) => {
    const { point, segment } = under(event);
    tip.hidden = point === undefined && segment < 0;
    if (tip.hidden) return;
    tip.replaceChildren();
    if (point === undefined) tellSegment(segment); else tellPoint(point);
    tip.style.left = Math.max(0, Math.min(event.sx + 14, box.clientWidth - tip.offsetWidth - 4)) + "px";
    const below = event.sy + 16;
    tip.style.top = (below + tip.offsetHeight > box.clientHeight ? Math.max(0, event.sy - tip.offsetHeight - 12) : below) + "px";
  });
  plot.on_event("mouseleave", () => { tip.hidden = true; });
  plot.on_event("tap", (event) => {
    const { point, segment } = under(event);
    if (point === undefined && segment < 0) return;
    if (point === undefined) card.pick(segment, false); else card.pickPoint(point, false);
    if (details.getBoundingClientRect().top > window.innerHeight - 100) details.scrollIntoView({ block: "nearest" });
  });
}

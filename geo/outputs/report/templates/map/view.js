/* What part of the ground is seen: one scale for both axes, a metre east is as long as a metre north. */
function makeView(plot, data) {
  let view = null, fitted = null, extent = null;
  const watching = [];
  const width = () => plot.inner_width || 1;
  const height = () => plot.inner_height || 1;
  const tell = () => watching.forEach((one) => one(view));

  function show(x, y, metres) {
    const w = width() * metres / 2, h = height() * metres / 2;
    plot.x_range.setv({ start: x - w, end: x + w });
    plot.y_range.setv({ start: y - h, end: y + h });
    view = { x, y, metres };
    tell();
  }
  function now() {
    const x = plot.x_range, y = plot.y_range;
    return { x: (x.start + x.end) / 2, y: (y.start + y.end) / 2, metres: (y.end - y.start) / height() };
  }
  function fit(wanted) {
    const [west, south, east, north] = extent = wanted;
    show((west + east) / 2, (south + north) / 2, 1.06 * Math.max((east - west) / width(), (north - south) / height()));
    fitted = view;
  }
  function zoom(factor) { const at = now(); show(at.x, at.y, at.metres * factor); }
  function move(right, up) {
    const at = now();
    show(at.x + right * at.metres * 80, at.y + up * at.metres * 80, at.metres);
  }
  const same = (one, other) => Math.abs(one.metres / other.metres - 1) < 1e-3 && Math.hypot(one.x - other.x, one.y - other.y) < other.metres;
  /* A window of another size keeps the place and the scale; one that was fitted to something goes on showing all of it. */
  function resized() {
    if (!plot.inner_width || !plot.inner_height) return;
    if (same(view, fitted)) fit(extent);
    else show(view.x, view.y, view.metres);
  }
  function edges() {
    const { x, y, metres } = now(), w = width() * metres / 2, h = height() * metres / 2;
    return { west: x - w, east: x + w, south: y - h, north: y + h };
  }
  plot.on_event("rangesupdate", () => { view = now(); tell(); });
  fit(data.view);
  plot.properties.inner_width.change.connect(resized);
  plot.properties.inner_height.change.connect(resized);
  return {
    show, now, fit, zoom, move, edges, width, height,
    all: () => fit([0, 0, data.width, data.height]),
    watch: (one) => { watching.push(one); one(view); },
  };
}

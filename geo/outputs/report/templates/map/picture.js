/* The map as it is seen, with its legend and where it is from, as a PNG. */
const LINE_PX = 20;
const MARGIN_PX = 12;

function makePicture(root, painting, points) {
  const button = byId("save-map");
  const title = document.title;

  function entries() {
    const { classes } = painting.legend();
    const lines = classes.map(([label, colour, dash, weight, quiet]) => ({ label, colour, dash, width: quiet ? 1.5 : 4 * Math.min(weight, 1.5) }));
    return [...lines, ...points.legend().map(([, words], at) => ({ label: words, mark: points.legend()[at][0] }))];
  }
  function mark(pen, layer, x, y) {
    const path = document.querySelector("[data-filter=layer] input[value='" + layer + "'] ~ svg path");
    pen.save();
    pen.translate(x + 12, y - 6);
    const shape = new Path2D(path.getAttribute("d"));
    pen.fillStyle = path.getAttribute("fill");
    pen.strokeStyle = "#1b1b1b";
    pen.lineWidth = 1;
    pen.fill(shape);
    pen.stroke(shape);
    pen.restore();
  }
  function swatch(pen, { colour, dash, width }, x, y) {
    for (const [stroke, more] of [["#1b1b1b", 1.6], [colour, 0]]) {
      if (more && width < 2) continue;
      pen.beginPath();
      pen.setLineDash(dash);
      pen.strokeStyle = stroke;
      pen.lineWidth = width + more;
      pen.moveTo(x, y);
      pen.lineTo(x + 36, y);
      pen.stroke();
    }
    pen.setLineDash([]);
  }
  /* Entries stand side by side as far as they go, then below. */
  function laid(pen, width) {
    let x = MARGIN_PX, row = 0;
    return entries().map((entry) => {
      const needs = 44 + pen.measureText(entry.label).width + 22;
      if (x > MARGIN_PX && x + needs > width) { x = MARGIN_PX; row += 1; }
      const at = { ...entry, x, row };
      x += needs;
      return at;
    });
  }
  function drawn() {
    const map = root.export("png");
    const ratio = map.pixel_ratio || 1, width = map.canvas.width / ratio, height = map.canvas.height / ratio;
    const canvas = document.createElement("canvas"), pen = canvas.getContext("2d");
    const font = (weight) => { pen.font = weight + " 13px system-ui, 'DejaVu Sans', Arial, sans-serif"; };
    font("normal");
    const legend = laid(pen, width - MARGIN_PX), rows = 1 + Math.max(0, ...legend.map(({ row }) => row));
    canvas.width = Math.ceil(width * ratio);
    canvas.height = Math.ceil((height + (rows + 2) * LINE_PX + 2 * MARGIN_PX) * ratio);
    pen.scale(ratio, ratio);
    pen.fillStyle = "#ffffff";
    pen.fillRect(0, 0, width, canvas.height / ratio);
    pen.drawImage(map.canvas, 0, 0, width, height);
    pen.fillStyle = "#1b1b1b";
    pen.textBaseline = "middle";
    let y = height + MARGIN_PX + LINE_PX / 2;
    font("bold");
    pen.fillText(painting.legend().title, MARGIN_PX, y, width - 2 * MARGIN_PX);
    font("normal");
    for (const entry of legend) {
      const at = y + (entry.row + 1) * LINE_PX;
      if (entry.mark === undefined) swatch(pen, entry, entry.x, at); else mark(pen, entry.mark, entry.x, at);
      pen.fillStyle = "#1b1b1b";
      pen.fillText(entry.label, entry.x + 44, at);
    }
    y += (rows + 1) * LINE_PX;
    pen.fillStyle = "#565656";
    pen.fillText(title + "; association, not cause; north is up", MARGIN_PX, y, width - 2 * MARGIN_PX);
    return canvas;
  }
  button.addEventListener("click", () => drawn().toBlob((blob) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = button.dataset.file;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  }, "image/png"));
  return { drawn };
}

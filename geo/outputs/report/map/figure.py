"""The interactive map of the report: a Bokeh figure whose data and reactions come from ``templates/map``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bokeh.core.properties import field, value
from bokeh.embed import json_item
from bokeh.models import ColumnDataSource, PanTool, Plot, Range1d, ScaleBar, WheelZoomTool
from bokeh.models.glyphs import ImageURL, MultiLine, Scatter, Text
from bokeh.resources import Resources

from geo.outputs.harm import UNHURT
from geo.outputs.palette import SEVERITY, SEVERITY_UNKNOWN, UNKNOWN
from geo.outputs.report.map.data import EDGE
from geo.outputs.report.map.points import UNPLACED
from geo.outputs.wording import NOT_APART

MARKERS = {
    "fatal": "triangle",
    "serious": "square",
    "slight": "circle",
    UNHURT: "circle",
    "unknown": "circle",
    UNPLACED: "x",
}
"""Shapes as well as colours, for readers who do not see these."""
_SHAPES = {
    "triangle": "M6 1 L11.5 11 H.5 Z",
    "square": "M1.5 1.5 H10.5 V10.5 H1.5 Z",
    "circle": "M6 1.5 A4.5 4.5 0 1 1 5.99 1.5 Z",
    "x": "M2 2 L10 10 M10 2 L2 10",
}
_FILLS = {**SEVERITY, UNHURT: "#DDDDDD", "unknown": SEVERITY_UNKNOWN, UNPLACED: "#FFFFFF"}
MARKS = {name: (_SHAPES[marker], _FILLS[name]) for name, marker in MARKERS.items()}
"""The markers again, for the key beside the map: path in a square of 12, and colour."""
PICKED, GROUND = "#0B57D0", "#F4F4F1"
GROUND_ALPHA = 0.7
"""How far the imagery covers the paper beneath it: paler, so that lines stand out."""
NAME_FONT, NAME_SIZE = "system-ui, 'DejaVu Sans', Arial, sans-serif", "12px"


def collision_layer_names(severities: Mapping[str, str]) -> dict[str, str]:
    """Name the layers of collisions, by what their severities mean (see `geo.outputs.wording.severity_words`)."""
    known = {name: f"{word} collisions" for name, word in severities.items()}
    if severities["slight"] == NOT_APART:
        known["slight"] = f"collisions with {NOT_APART}"
    return known | {
        UNHURT: "collisions that hurt nobody",
        "unknown": "collisions of unknown severity",
        UNPLACED: "collisions placed on no road",
    }


def map_script() -> str:
    """Give the script of the library that draws the map, to stand in the page."""
    return str(Resources(mode="inline", components=["bokeh"], minified=True).js_raw[0])


def map_figure() -> dict[str, Any]:
    """Make the map without its data; it is the same for every city.

    Returns
    -------
    What ``Bokeh.embed.embed_item`` takes, with ids that do not depend on what else was drawn before. Its renderers
    are, from below: ``backdrop`` (pictures of the ground), ``picked``, ``quiet`` (thin lines), ``lines`` and ``heavy``
    (lines with an edge, in colours and dashes of their own), ``collisions-fatal`` and so on (keys of `MARKERS`),
    ``marked`` and ``names``.
    """
    plot = Plot(
        x_range=Range1d(0, 1),
        y_range=Range1d(0, 1),
        sizing_mode="stretch_both",
        toolbar_location=None,
        background_fill_color=GROUND,
        outline_line_color=None,
        border_fill_color=GROUND,
        min_border=2,
        lod_threshold=None,
    )
    pictures = ColumnDataSource(data={name: [] for name in ("url", "x", "y", "w", "h")}, name="backdrop-data")
    ground = ImageURL(url="url", x="x", y="y", w="w", h="h", anchor="bottom_left", global_alpha=GROUND_ALPHA)
    plot.add_glyph(pictures, ground, name="backdrop")
    # under the lines and wider than them, so that type and collisions stay to be seen
    _lines(plot, "picked", [("#FFFFFF", 19.0), (PICKED, 15.0)])
    _lines(plot, "quiet", [(UNKNOWN, 1.2)])
    for name in ("lines", "heavy"):
        _lines(plot, name, [(EDGE, 4.5), (None, 3.0)])
    for severity in MARKERS:
        _points(plot, severity)
    _marked(plot)
    _names(plot)
    plot.add_tools(PanTool(), WheelZoomTool())
    plot.add_layout(
        ScaleBar(
            range=plot.x_range,
            unit="m",
            location="bottom_left",
            bar_length=0.12,
            background_fill_alpha=0.75,
            border_line_color=None,
        )
    )
    item = dict(json_item(plot))
    return dict(_renamed(item, {}))


def _lines(plot: Plot, name: str, strokes: Sequence[tuple[str | None, float]]) -> None:
    """Add lines of a name, stroke upon stroke: colour (None: one of its own for each line) and width."""
    source = ColumnDataSource(data={"xs": [], "ys": [], "colour": [], "dash": []}, name=f"{name}-data")
    own = name in ("lines", "heavy")
    for colour, width in strokes:
        glyph = MultiLine(
            xs="xs",
            ys="ys",
            line_color=colour or field("colour"),
            line_width=width,
            line_dash=field("dash") if own else "solid",
            line_join="round",
        )
        plot.add_glyph(source, glyph, name=name)


def _names(plot: Plot) -> None:
    """Add names of streets, along them: dark letters on a pale rim."""
    source = ColumnDataSource(data={"x": [], "y": [], "text": [], "angle": []}, name="names-data")
    for rim in (3.5, 0.0):
        glyph = Text(
            x="x",
            y="y",
            text="text",
            angle="angle",
            text_align="center",
            text_baseline="middle",
            text_font=value(NAME_FONT),
            text_font_size=NAME_SIZE,
            text_font_style="bold",
            text_color=EDGE,
            text_outline_color="#FFFFFF" if rim else None,
            text_outline_width=rim,
        )
        plot.add_glyph(source, glyph, name="names")


def _marked(plot: Plot) -> None:
    """Add the ring about the collision that is looked at."""
    source = ColumnDataSource(data={"x": [], "y": []}, name="marked-data")
    for colour, width in (("#FFFFFF", 6.0), (PICKED, 3.0)):
        ring = Scatter(
            x="x", y="y", marker="circle", size=20, fill_color=None, line_color=colour, line_width=width
        )
        plot.add_glyph(source, ring, name="marked")


def _points(plot: Plot, severity: str) -> None:
    source = ColumnDataSource(data={"x": [], "y": []}, name=f"collisions-{severity}-data")
    glyph = Scatter(
        x="x",
        y="y",
        marker=MARKERS[severity],
        size=9 if severity == "fatal" else 6,
        fill_color=_FILLS[severity],
        line_color=EDGE if severity != "fatal" else "#FFFFFF",
        line_width=0.8,
    )
    plot.add_glyph(source, glyph, name=f"collisions-{severity}")


def _renamed(value: Any, known: dict[str, str]) -> Any:  # noqa: ANN401
    """Give all models new numbers in the order in which they appear: Bokeh counts on over all that a process draws."""
    if isinstance(value, dict):
        return {
            key: known.setdefault(one, f"map{len(known)}")
            if key in ("id", "root_id") and isinstance(one, str)
            else _renamed(one, known)
            for key, one in value.items()
        }
    return [_renamed(one, known) for one in value] if isinstance(value, list) else value

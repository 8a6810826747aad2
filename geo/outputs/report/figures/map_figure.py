"""The interactive map of the report: a Bokeh figure whose data and reactions come from ``templates/map``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bokeh.embed import json_item
from bokeh.models import ColumnDataSource, PanTool, Plot, Range1d, ScaleBar, WheelZoomTool
from bokeh.models.glyphs import MultiLine, Scatter
from bokeh.resources import Resources

from geo.outputs.palette import SEVERITY, SEVERITY_UNKNOWN, UNKNOWN, Look
from geo.outputs.report.figures.charts import bokeh_dash
from geo.outputs.report.figures.map_data import EDGE, UNPLACED
from geo.outputs.wording import NOT_APART

MARKERS = {"fatal": "triangle", "serious": "square", "slight": "circle", "unknown": "circle", UNPLACED: "x"}
"""Shapes as well as colours, for readers who do not see these."""
_SHAPES = {
    "triangle": "M6 1 L11.5 11 H.5 Z",
    "square": "M1.5 1.5 H10.5 V10.5 H1.5 Z",
    "circle": "M6 1.5 A4.5 4.5 0 1 1 5.99 1.5 Z",
    "x": "M2 2 L10 10 M10 2 L2 10",
}
_FILLS = {**SEVERITY, "unknown": SEVERITY_UNKNOWN, UNPLACED: "#FFFFFF"}
MARKS = {name: (_SHAPES[marker], _FILLS[name]) for name, marker in MARKERS.items()}
"""The markers again, for the key beside the map: path in a square of 12, and colour."""
PICKED, GROUND = "#0B57D0", "#F4F4F1"


def collision_layer_names(severities: Mapping[str, str]) -> dict[str, str]:
    """Name the layers of collisions, by what their severities mean (see `geo.outputs.wording.severity_words`)."""
    known = {name: f"{word} collisions" for name, word in severities.items()}
    if severities["slight"] == NOT_APART:
        known["slight"] = f"collisions with {NOT_APART}"
    return known | {"unknown": "collisions of unknown severity", UNPLACED: "collisions placed on no road"}


def map_script() -> str:
    """Give the script of the library that draws the map, to stand in the page."""
    return str(Resources(mode="inline", components=["bokeh"], minified=True).js_raw[0])


def map_figure(looks: Mapping[int, Look], severities: Sequence[str]) -> dict[str, Any]:
    """Make the map without its data; the same arguments give the same figure.

    Parameters
    ----------
    looks
        Colour and pattern of each type, by its number; each type has lines of the name ``type-1``, with a dark edge.
        Segments without a type are ``type-none``.
    severities
        Severities that points are drawn for, keys of `MARKERS`; each has points of the name ``collisions-fatal``.

    Returns
    -------
    What ``Bokeh.embed.embed_item`` takes, with ids that do not depend on what else was drawn before.
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
    # under the lines and wider than them, so that type and collisions stay to be seen
    _lines(plot, "picked", [("#FFFFFF", 19.0, "solid"), (PICKED, 15.0, "solid")])
    _lines(plot, "type-none", [(UNKNOWN, 1.2, "solid")])
    for cluster, appearance in sorted(looks.items()):
        dash = bokeh_dash(appearance)
        _lines(plot, f"type-{cluster}", [(EDGE, 4.5, dash), (appearance.colour, 3.0, dash)])
    for severity in severities:
        _points(plot, severity)
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


def _lines(plot: Plot, name: str, strokes: Sequence[tuple[str, float, Any]]) -> None:
    """Add lines of a name, stroke upon stroke: colour, width and dash."""
    source = ColumnDataSource(data={"xs": [], "ys": []}, name=f"{name}-data")
    for colour, width, dash in strokes:
        glyph = MultiLine(
            xs="xs", ys="ys", line_color=colour, line_width=width, line_dash=dash, line_join="round"
        )
        plot.add_glyph(source, glyph, name=name)


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

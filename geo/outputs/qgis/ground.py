"""What QGIS shows of ground: the map of its classes beside the imagery, and columns of shares, titled and in boxes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

import jinja2
import pandas as pd
from markupsafe import escape

from geo.ground.there.columns import told_by
from geo.outputs.layers.arrange import names_written
from geo.outputs.layers.ground import CLASSES
from geo.outputs.layers.ground_words import called, titles, titles_of
from geo.outputs.qgis.tables import NOT_XML, Style
from geo.outputs.templates import templates

FORMS = ("segments", "junctions")
"""Layers whose form has a tab of its own for ground."""
OPACITY = 0.6
"""Of the map of classes: the imagery below is seen through it."""
_OTHER = "In words, and what else is known"


@dataclass(frozen=True, slots=True)
class GroundMap:
    """The map of classes of ground.

    Attributes
    ----------
    file
        Name of the raster, which lies beside the GeoPackage, in the city's CRS.
    classes
        Number in the raster, what it is called, and colour (``#RRGGBB``) of each class.
    """

    file: str
    classes: tuple[tuple[int, str, str], ...]
    opacity: float = OPACITY


def ground_map(file: str, classes: pd.DataFrame) -> GroundMap:
    """Describe the map of a city.

    Parameters
    ----------
    file
        Name of the raster.
    classes
        The layer ``ground_classes``.
    """
    rows = classes.sort_values("class").to_dict("records")
    told = ((int(row["class"]), called(row["name"], row["key"]), str(row["colour"])) for row in rows)
    return GroundMap(file, tuple(told))


def with_ground(styles: Sequence[Style], layers: Mapping[str, pd.DataFrame]) -> list[Style]:
    """Give columns of ground their titles, and forms with a tab for them.

    Parameters
    ----------
    styles
        Of all layers.
    layers
        The frames that are written, by the name of their layer; without a map of the ground styles stay as they are.
    """
    if CLASSES not in layers:
        return list(styles)
    classes = titles_of(layers[CLASSES])
    done = []
    for style in styles:
        names = names_written(style.layer, layers[style.layer])
        found = titles(names, classes)
        done.append(replace(style, qml=_titled(style, names, found)) if found else style)
    return done


def _titled(style: Style, names: Sequence[str], found: Mapping[str, str]) -> str:
    """Add titles to a style, and to those of `FORMS` a form."""
    widgets = "".join(
        f'<field name="{escape(name)}" configurationFlags="None"><editWidget type="TextEdit"><config><Option/></config>'
        "</editWidget></field>"
        for name in found
    )
    aliases = "".join(
        f'<alias field="{escape(name)}" name="{escape(text)}"/>' for name, text in found.items()
    )
    qml = style.qml.replace("</fieldConfiguration>", f"{widgets}</fieldConfiguration>")
    qml = qml.replace("</aliases>", f"{aliases}</aliases>")
    if style.layer not in FORMS:
        return NOT_XML.sub("", qml)
    others = [name for name in names if name not in found]
    form = (
        _environment()
        .get_template("ground.xml")
        .render(layer=style.layer, others=others, boxes=_boxes(found))
    )
    return NOT_XML.sub("", qml.replace("</aliases>", f"</aliases>{form}"))


def _boxes(found: Mapping[str, str]) -> list[tuple[str, list[str]]]:
    """Put columns in boxes by their distance from the centreline."""
    boxes: dict[str, list[str]] = {}
    for name in found:
        told = told_by(name)
        boxes.setdefault(_OTHER if told is None else f"{told[1].words} from the centreline", []).append(name)
    return sorted(boxes.items(), key=lambda box: box[0] == _OTHER)


@cache
def _environment() -> jinja2.Environment:
    return templates("geo.outputs.qgis", "templates")

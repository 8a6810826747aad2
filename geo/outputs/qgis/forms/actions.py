"""What QGIS can do with a row: select what belongs to it in another layer, or open it in the report or the explorer.

An action is a text in which QGIS replaces expressions and then runs it as Python. Only the number of the row and the id
of its layer are put in, never what stands in a cell: names and ids of the data may hold quotes, and would be run.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup, escape

REPORT = "report.html"
"""File beside the GeoPackage that shows a segment by its id: ``report.html#segment=...``."""
_NAMES = uuid.UUID("5c2b6f0e-6a53-5d0c-9f0b-2f4b6a1d7c11")
_FIND = """\
from pathlib import Path
from qgis.core import QgsExpression, QgsProject, QgsProviderRegistry
from qgis.utils import iface

def file_of(layer):
    return QgsProviderRegistry.instance().decodeUri('ogr', layer.source())

def tell(text):
    iface.messageBar().pushMessage('roadprint', text)

layer = QgsProject.instance().mapLayer('[% @layer_id %]')
row = layer.getFeature([% $id %])
"""
_SELECT = """\
def act(table, column, own):
    here = file_of(layer)['path']
    layers = sorted(QgsProject.instance().mapLayers().items(), key=lambda one: (one[0] != layer.id(), one[0]))
    others = [one for _, one in layers if one.providerType() == 'ogr']
    others = [one for one in others if file_of(one)['path'] == here and file_of(one)['layerName'] == table]
    value = row[own]
    wanted = [one for one in value.split(';') if one] if isinstance(value, str) else []
    if not others or not wanted:
        tell('no such layer in this project' if wanted else 'none are known')
        return
    quoted = ', '.join(QgsExpression.quotedString(one) for one in wanted)
    others[0].selectByExpression('{} IN ({})'.format(QgsExpression.quotedColumnRef(column), quoted))
    found = others[0].selectedFeatureCount()
    node = QgsProject.instance().layerTreeRoot().findLayer(others[0].id())
    if found and node is not None:
        node.setItemVisibilityCheckedParentRecursive(True)
        iface.mapCanvas().zoomToSelected(others[0])
    tell('{} selected in {}'.format(found, others[0].name()))

"""
_OPEN = """\
import webbrowser
from qgis.PyQt.QtCore import QUrl

def act(report):
    file = Path(file_of(layer)['path']).with_name(report)
    if not file.exists():
        tell('there is no {} beside the GeoPackage'.format(report))
        return
    address = QUrl.fromLocalFile(str(file))
    address.setFragment('segment=' + str(row['segment_id']))
    webbrowser.open(address.toString(QUrl.FullyEncoded))

"""
_EXPLORE = """\
import shlex
from qgis.PyQt.QtGui import QGuiApplication

def act():
    words = [Path(file_of(layer)['path']).parent.as_posix(), str(row['segment_id'])]
    command = 'roadprint explore {} --segment {}'.format(*map(shlex.quote, words))
    QGuiApplication.clipboard().setText(command)
    tell('in a terminal, paste the command that is copied now: ' + command)

"""


@dataclass(frozen=True, slots=True)
class Action:
    """Something to do with a row of a layer.

    Attributes
    ----------
    layer
        Whose rows.
    title
        What the menu shows.
    code
        Python, with the two expressions that are put in.
    """

    layer: str
    title: str
    code: str

    @property
    def id(self) -> str:
        """Its UUID, the same in every file."""
        return "{" + str(uuid.uuid5(_NAMES, f"{self.layer}/{self.title}")) + "}"

    @property
    def written(self) -> Markup:
        """Its code as it stands in an attribute of XML, which would make spaces of its ends of lines."""
        return Markup(str(escape(self.code)).replace("\n", "&#10;"))  # noqa: S704 - escaped


def _select(layer: str, title: str, table: str, column: str, own: str) -> Action:
    """Select the rows of a table whose column is (one of) what a row's own column says, by semicolons."""
    return Action(layer, title, f"{_FIND}{_SELECT}act({table!r}, {column!r}, {own!r})\n")


ACTIONS: Mapping[str, tuple[Action, ...]] = {
    "segments": (
        _select("segments", "Select its look-alikes", "segments", "segment_id", "looks_like"),
        _select("segments", "Select its collisions", "collisions", "segment_id", "segment_id"),
        Action("segments", "Open in the report", f"{_FIND}{_OPEN}act({REPORT!r})\n"),
        Action("segments", "Copy the command that opens it in the explorer", f"{_FIND}{_EXPLORE}act()\n"),
    ),
    "junctions": (
        _select("junctions", "Select its look-alikes", "junctions", "junction_id", "looks_like"),
        _select("junctions", "Select its collisions", "collisions", "junction_id", "junction_id"),
    ),
    "stretches": (_select("stretches", "Select its segments", "segments", "stretch_id", "stretch_id"),),
    "collisions": (
        _select("collisions", "Select its road", "segments", "segment_id", "segment_id"),
        _select("collisions", "Select its junction", "junctions", "junction_id", "junction_id"),
    ),
}
"""By layer."""

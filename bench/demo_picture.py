"""Draw docs/demo.jpg with QGIS: imagery of the demo town, and its segments in two of the styles that come in the file.

    .venv/bin/roadprint demo
    /usr/bin/python3 -I bench/demo_picture.py runs/demo-town/latest/demo-town.gpkg runs/town-*/imagery/*.tif

Needs QGIS with its Python bindings.
"""

import os
import sys
from pathlib import Path

os.environ["QT_QPA_PLATFORM"] = "offscreen"

from qgis.core import (
    QgsApplication,
    QgsMapLayer,
    QgsMapRendererSequentialJob,
    QgsMapSettings,
    QgsRasterLayer,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QSize
from qgis.PyQt.QtGui import QColor, QImage, QPainter
from qgis.PyQt.QtXml import QDomDocument

SIDE, GAP = 620, 12
STYLES = ("road types", "ksi rate (EB)")


def segments(geopackage: str, style: str) -> QgsVectorLayer:
    """Load the segments with one of their styles."""
    layer = QgsVectorLayer(f"{geopackage}|layername=segments", "segments", "ogr")
    _, ids, names, _, _ = layer.listStylesInDatabase()
    document = QDomDocument()
    document.setContent(layer.getStyleFromDatabase(ids[names.index(style)])[0])
    layer.importNamedStyle(document)
    return layer


def panel(layers: list[QgsMapLayer]) -> QImage:
    """Render layers, the first on top."""
    settings = QgsMapSettings()
    settings.setLayers(layers)
    settings.setDestinationCrs(layers[0].crs())
    settings.setExtent(layers[0].extent())
    settings.setOutputSize(QSize(SIDE, SIDE))
    settings.setBackgroundColor(QColor("white"))
    job = QgsMapRendererSequentialJob(settings)
    job.start()
    job.waitForFinished()
    return job.renderedImage()


def main() -> None:
    """Draw both panels side by side."""
    gui = True  # symbols and fonts need it
    application = QgsApplication([], gui)
    application.initQgis()
    geopackage, *rasters = sys.argv[1:]
    imagery = [QgsRasterLayer(path, Path(path).stem) for path in rasters]
    for layer in imagery:
        layer.setOpacity(0.55)
    whole = QImage(2 * SIDE + GAP, SIDE, QImage.Format_RGB32)
    whole.fill(QColor("white"))
    painter = QPainter(whole)
    for i, style in enumerate(STYLES):
        painter.drawImage(i * (SIDE + GAP), 0, panel([segments(geopackage, style), *imagery]))
    painter.end()
    whole.save(str(Path(__file__).parents[1] / "docs" / "demo.jpg"), quality=88)
    # a normal exit of the interpreter crashes PyQGIS 3.22
    os._exit(0)


main()

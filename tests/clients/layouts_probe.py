"""Print every layout of QGIS projects, as Layout > Export does, and say in JSON what is on the pages.

By QGIS's own Python (`qgis_client.in_qgis`): ``/usr/bin/python3 -I layouts_probe.py FOLDER_FOR_PICTURES PROJECT...``.
A project is a file or ``geopackage:FILE?projectName=NAME``; of one with a ``+`` before it all pages are printed as PDF
as well.
"""

import json
import os
import sys
from pathlib import Path

from qgis.core import (
    QgsApplication,
    QgsExpression,
    QgsExpressionContext,
    QgsExpressionContextUtils,
    QgsLayoutExporter,
    QgsLayoutItemLabel,
    QgsLayoutItemLegend,
    QgsLayoutItemMap,
    QgsLayoutItemPicture,
    QgsProject,
)
from qgis.PyQt.QtCore import QRectF, Qt
from qgis.PyQt.QtGui import QFont, QFontMetricsF, QImage

WHITE = 0xFFFFFFFF
DPI, FINE = 40, 20
"""Of the pictures; and pixels in which texts are measured (a mm)."""


def drawn(image, item):
    """How many colours there are in an item's box, beside white."""
    scale = DPI / 25.4
    place, box = item.pagePos(), item.rect()
    left, top = round(place.x() * scale) + 2, round(place.y() * scale) + 2
    right, bottom = left + int(box.width() * scale) - 4, top + int(box.height() * scale) - 4
    found = {image.pixel(x, y) for x in range(left, right) for y in range(top, bottom)}
    return len(found - {WHITE})


def beyond(layout):
    """Which items do not lie on the page, or hold more lines of text than there is room for."""
    page = layout.pageCollection().page(0).rect()
    items = [item for item in layout.items() if hasattr(item, "pagePos") and item.type() > 65638]
    out = [
        i.id() for i in items if not page.contains(i.mapRectToScene(i.rect()).adjusted(0.1, 0.1, -0.1, -0.1))
    ]
    labels = [item for item in items if isinstance(item, QgsLayoutItemLabel)]
    return out + [label.id() for label in labels if needs(label) > label.rect().height() + 0.5]


def needs(label):
    """How high a label's text is in the width that it has (mm)."""
    font = QFont(label.font())
    font.setPixelSize(round(label.font().pointSizeF() * 25.4 / 72 * FINE))
    width = (label.rect().width() - 2 * label.marginX()) * FINE
    found = QFontMetricsF(font).boundingRect(QRectF(0, 0, width, 1e6), Qt.TextWordWrap, label.currentText())
    return found.height() / FINE + 2 * label.marginY()


def page_of(layout, picture):
    """What is on a page; without a picture of it, what is written there."""
    items = [item for item in layout.items() if hasattr(item, "id")]
    said = {
        "texts": {i.id(): i.currentText() for i in items if isinstance(i, QgsLayoutItemLabel)},
        "beyond": beyond(layout),
    }
    if picture is None:
        return said
    settings = QgsLayoutExporter.ImageExportSettings()
    settings.dpi = DPI
    done = QgsLayoutExporter(layout).exportToImage(str(picture), settings)
    image = QImage(str(picture))
    return said | {
        "done": done == QgsLayoutExporter.Success,
        "colours": {
            i.id(): drawn(image, i)
            for i in items
            if isinstance(i, (QgsLayoutItemMap, QgsLayoutItemPicture, QgsLayoutItemLegend))
        },
    }


def printed(layout, folder, whole):
    """The first and the last page of a layout as pictures, and all of them as one PDF, where that is asked for."""
    atlas, name = layout.atlas(), "".join(letter if letter.isalnum() else "-" for letter in layout.name())
    pages = []
    settings = QgsLayoutExporter.PdfExportSettings()
    settings.dpi = DPI
    if atlas.enabled():
        atlas.beginRender()
        for number in range(atlas.count()):
            atlas.seekTo(number)
            seen = number in {0, atlas.count() - 1}
            pages.append(page_of(layout, folder / f"{name}-{number + 1}.png" if seen else None))
        atlas.endRender()
    else:
        pages.append(page_of(layout, folder / f"{name}.png"))
    if not whole:
        return {"pages": pages}
    file = str(folder / f"{name}.pdf")
    if atlas.enabled():
        done, _ = QgsLayoutExporter.exportToPdf(atlas, file, settings)
    else:
        done = QgsLayoutExporter(layout).exportToPdf(file, settings)
    return {"pages": pages, "pdf": done == QgsLayoutExporter.Success}


def opened(address, folder):
    """What a project prints, and what is written at the edge of its map."""
    folder.mkdir(parents=True)
    project = QgsProject.instance()
    if not project.read(address.lstrip("+")):
        return {"error": project.error()}
    context = QgsExpressionContext()
    # scopes that are given in a list are freed twice
    context.appendScope(QgsExpressionContextUtils.globalScope())
    context.appendScope(QgsExpressionContextUtils.projectScope(project))
    text, _ = project.readEntry("CopyrightLabel", "/Label")
    return {
        "invalid": [layer.name() for layer in project.mapLayers().values() if not layer.isValid()],
        "edge": QgsExpression.replaceExpressionText(text, context),
        "layouts": {
            layout.name(): printed(layout, folder, whole=address.startswith("+"))
            for layout in project.layoutManager().printLayouts()
        },
    }


def main():
    """Print what is seen."""
    gui = True  # fonts need it
    application = QgsApplication([], gui)
    application.initQgis()
    folder = Path(sys.argv[1])
    said = {address: opened(address, folder / str(n)) for n, address in enumerate(sys.argv[2:])}
    sys.stdout.write(json.dumps(said))
    sys.stdout.flush()
    # a normal exit of the interpreter crashes PyQGIS 3.22
    os._exit(0)


main()

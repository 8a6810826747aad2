"""Open a GeoPackage in QGIS, as an analyst's 'Add layer' does, and say in JSON what is seen.

Run by QGIS's own Python (`qgis_client.in_qgis`): ``/usr/bin/python3 -I qgis_probe.py FILE.gpkg [FOLDER FOR PICTURES]``.
"""

import json
import os
import sys
from pathlib import Path

from qgis.core import (
    Qgis,
    QgsApplication,
    QgsExpression,
    QgsExpressionContext,
    QgsExpressionContextUtils,
    QgsLayerTreeModel,
    QgsMapRendererSequentialJob,
    QgsMapSettings,
    QgsProject,
    QgsProviderRegistry,
    QgsRasterLayer,
    QgsRectangle,
    QgsRenderContext,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QSize, QVariant
from qgis.PyQt.QtGui import QColor
from qgis.PyQt.QtXml import QDomDocument


def rules_of(rule, path=()):
    """Every rule that draws, its label under those of its parents."""
    path = (*path, rule.label()) if rule.label() else path
    if rule.symbol() is not None:
        yield " / ".join(path)
    for below in rule.children():
        yield from rules_of(below, path)


def legend(layer):
    """Labels of the classes that the layer's renderer draws."""
    renderer = layer.renderer()
    if renderer.type() == "categorizedSymbol":
        return [category.label() for category in renderer.categories()]
    if renderer.type() == "RuleRenderer":
        return list(rules_of(renderer.rootRule()))
    return [renderer.type()]


def undrawn(layer):
    """How many located rows the renderer leaves out."""
    renderer = layer.renderer().clone()
    context = QgsRenderContext()
    context.expressionContext().appendScopes(QgsExpressionContextUtils.globalProjectLayerScopes(layer))
    renderer.startRender(context, layer.fields())
    missing = 0
    for feature in layer.getFeatures():
        context.expressionContext().setFeature(feature)
        missing += feature.hasGeometry() and not renderer.willRenderFeature(feature, context)
    renderer.stopRender(context)
    return missing


def tips(layer):
    """What the map tips of the first rows say."""
    said = []
    for feature in list(layer.getFeatures())[:4]:
        context = QgsExpressionContext(QgsExpressionContextUtils.globalProjectLayerScopes(layer))
        context.setFeature(feature)
        said.append(QgsExpression.replaceExpressionText(layer.mapTipTemplate(), context))
    return said


def painted(layers, crs, extent, picture):
    """How many of the picture's pixels the layers colour."""
    settings = QgsMapSettings()
    settings.setLayers(layers)
    settings.setDestinationCrs(crs)
    settings.setOutputSize(QSize(700, 700))
    settings.setExtent(extent)
    settings.setBackgroundColor(QColor(255, 255, 255))
    job = QgsMapRendererSequentialJob(settings)
    job.start()
    job.waitForFinished()
    image = job.renderedImage()
    if picture:
        image.save(str(picture))
    white = QColor(255, 255, 255).rgb()
    return sum(image.pixel(x, y) != white for x in range(0, 700, 3) for y in range(0, 700, 3))


def look_at(layer, pictures, name):
    """What one style of a located layer does."""
    extent = layer.extent()
    extent.scale(1.1)
    picture = pictures / f"{name}.png" if pictures else None
    return {
        "legend": legend(layer),
        "undrawn": undrawn(layer),
        "painted": painted([layer], layer.crs(), extent, picture),
        "tips": tips(layer),
    }


def inspect(sublayer, pictures):
    """What QGIS makes of one layer, its default style and its other ones."""
    layer = QgsVectorLayer(sublayer.uri(), sublayer.name(), "ogr")
    seen = {
        "valid": layer.isValid(),
        "crs": layer.crs().authid(),
        "rows": layer.featureCount(),
        "read": sum(1 for _ in layer.getFeatures()),
        "fields": {field.name(): field.typeName() for field in layer.fields()},
        "aliases": {field.name(): field.alias() for field in layer.fields() if field.alias()},
        "form": boxes(layer.editFormConfig().tabs()),
        "yes_no": {
            field.name(): words(layer, field) for field in layer.fields() if field.typeName() == "Boolean"
        },
    }
    if not layer.isSpatial():
        return seen
    seen["metadata"] = {
        "title": layer.metadata().title(),
        "licenses": layer.metadata().licenses(),
        "abstract": layer.metadata().abstract(),
    }
    seen["default"] = look_at(layer, pictures, sublayer.name())
    # QGIS gives the styles of this layer first, then those of others
    ours, ids, names, _, _ = layer.listStylesInDatabase()
    seen["styles"] = {}
    for style_id, name in list(zip(ids, names))[:ours]:  # noqa: B905 - QGIS may come with Python 3.9
        document = QDomDocument()
        document.setContent(layer.getStyleFromDatabase(style_id)[0])
        accepted, _ = layer.importNamedStyle(document)
        seen["styles"][name] = {
            "accepted": accepted,
            **look_at(layer, pictures, f"{sublayer.name()}-{style_id}"),
        }
    return seen


def words(layer, field):
    """What a form says of yes, of no and of no value."""
    setup = field.editorWidgetSetup()
    said = QgsApplication.fieldFormatterRegistry().fieldFormatter(setup.type())
    number = layer.fields().indexOf(field.name())
    return [
        said.representValue(layer, number, setup.config(), None, value) for value in (True, False, QVariant())
    ]


def boxes(elements):
    """What stands in the form: a name for a field, a box with what is in it for a box."""
    return [
        {element.name(): boxes(element.children())} if hasattr(element, "children") else element.name()
        for element in elements
    ]


def classes(layer):
    """Value, label and colour of the classes of a raster that is drawn by them."""
    renderer = layer.renderer() if isinstance(layer, QgsRasterLayer) else None
    if renderer is None or renderer.type() != "paletted":
        return None
    return [[one.value, one.label, one.color.name()] for one in renderer.classes()]


class Canvas:
    """A map that does what an action asks of it, and shows nothing."""

    def zoomToSelected(self, layer):  # noqa: N802 - QGIS's name
        pass


class Messages:
    """What an action tells."""

    def __init__(self):
        self.told = []

    def pushMessage(self, _, text):  # noqa: N802 - QGIS's name
        self.told.append(text)


class Window:
    """As much of QGIS's window as actions use."""

    def __init__(self):
        self.messages = Messages()

    def messageBar(self):  # noqa: N802 - QGIS's name
        return self.messages

    def mapCanvas(self):  # noqa: N802 - QGIS's name
        return Canvas()


def done(layer):
    """What each action on the first row of a layer tells, and which rows of which layer it selects."""
    import webbrowser

    import qgis.utils

    first = next(layer.getFeatures(), None)
    if first is None:
        return {}
    found, opened = {}, []
    webbrowser.open = opened.append
    for action in layer.actions().actions():
        qgis.utils.iface = Window()
        context = QgsExpressionContext(QgsExpressionContextUtils.globalProjectLayerScopes(layer))
        context.setFeature(first)
        exec(QgsExpression.replaceExpressionText(action.command(), context), {})  # noqa: S102 - as QGIS does
        selected = {
            one.id(): sorted(row.attribute(1) for row in one.selectedFeatures())
            for one in QgsProject.instance().mapLayers().values()
            if isinstance(one, QgsVectorLayer) and one.selectedFeatureCount()
        }
        for one in selected:
            QgsProject.instance().mapLayer(one).removeSelection()
        found[action.name()] = [qgis.utils.iface.messages.told, selected]
    return {"did": found, "opened": opened}


def table(layer):
    """Which columns a layer's table shows, by what it is sorted, and which of its columns cannot be edited."""
    config, form = layer.attributeTableConfig(), layer.editFormConfig()
    names = layer.fields().names()
    return {
        "shown": [one.name for one in config.columns() if not one.hidden and one.name],
        "hidden": [one.name for one in config.columns() if one.hidden and one.name],
        "sort": config.sortExpression(),
        "fixed": [name for number, name in enumerate(names) if form.readOnly(number)],
    }


def labelled(layer):
    """From which scale a layer names its rows, by what, and whether parts of one line are named together."""
    if not layer.labelsEnabled():
        return None
    settings = layer.labeling().settings()
    return [settings.fieldName, settings.minimumScale, settings.lineSettings().mergeLines()]


def themes(project, order):
    """What each theme of the project shows."""
    found, tree = {}, project.layerTreeRoot()
    for name in project.mapThemeCollection().mapThemes():
        project.mapThemeCollection().applyTheme(name, tree, QgsLayerTreeModel(tree))
        found[name] = [layer.name() for layer in order if tree.findLayer(layer.id()).isVisible()]
    return found


def seen_in_project(layer, tree):
    """What the project makes of one layer."""
    return {
        "name": layer.name(),
        "valid": layer.isValid(),
        "source": layer.source(),
        "shown": tree.findLayer(layer.id()).isVisible(),
        "tips": tips(layer) if isinstance(layer, QgsVectorLayer) and layer.isSpatial() else [],
        "classes": classes(layer),
        "table": table(layer) if isinstance(layer, QgsVectorLayer) else None,
        "names": labelled(layer) if isinstance(layer, QgsVectorLayer) else None,
        "opacity": layer.renderer().opacity() if isinstance(layer, QgsRasterLayer) else 1.0,
        "actions": done(layer) if isinstance(layer, QgsVectorLayer) else {},
        "temporal": isinstance(layer, QgsVectorLayer) and layer.temporalProperties().isActive(),
    }


def open_project(path, name, pictures):
    """Open a project that is in the file, as Project > Open From > GeoPackage does."""
    project = QgsProject.instance()
    if not project.read(f"geopackage:{path}?projectName={name}"):
        return {"error": project.error()}
    tree, view = project.layerTreeRoot(), project.viewSettings().defaultViewExtent()
    order = [layer for layer in tree.layerOrder() if layer.isSpatial()]
    shown = [layer for layer in order if tree.findLayer(layer.id()).isVisible()]
    months = project.timeSettings().temporalRange()
    picture = pictures / f"project-{name}.png" if pictures else None
    return {
        "first": tree.findLayers()[0].layerId(),
        "title": project.title(),
        "crs": project.crs().authid(),
        "layers": {key: seen_in_project(layer, tree) for key, layer in project.mapLayers().items()},
        "order": [layer.name() for layer in order],
        "groups": [group.name() for group in tree.children()],
        "relations": {r.id(): r.isValid() for r in project.relationManager().relations().values()},
        "time": [months.begin().toString("yyyy-MM-dd"), months.end().toString("yyyy-MM-dd")],
        "view": [view.xMinimum(), view.yMinimum(), view.xMaximum(), view.yMaximum()],
        "painted": painted(shown, project.crs(), QgsRectangle(view), picture),
        "themes": themes(project, order),
    }


def main():
    """Print what is seen."""
    pictures = Path(sys.argv[2]) if len(sys.argv) > 2 else None
    gui = True  # fonts and map pictures need it
    application = QgsApplication([], gui)
    application.initQgis()
    sublayers = QgsProviderRegistry.instance().querySublayers(sys.argv[1])
    layers = {s.name(): inspect(s, pictures) for s in sublayers if s.name() != "layer_styles"}
    projects = {
        name: open_project(sys.argv[1], name, pictures)
        for name in QgsApplication.projectStorageRegistry()
        .projectStorageFromType("geopackage")
        .listProjects(f"geopackage:{sys.argv[1]}")
    }
    sys.stdout.write(json.dumps({"qgis": Qgis.QGIS_VERSION, "layers": layers, "projects": projects}))
    sys.stdout.flush()
    # a normal exit of the interpreter crashes PyQGIS 3.22
    os._exit(0)


main()

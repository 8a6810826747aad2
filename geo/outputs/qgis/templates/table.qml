{% import "parts.qml" as parts %}
<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>
<qgis version="3.22.0" styleCategories="AllStyleCategories">
 {{ parts.fields(layer) }}
 <layerGeometryType>4</layerGeometryType>
</qgis>

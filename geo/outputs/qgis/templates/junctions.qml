{% import "parts.qml" as parts %}
<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>
<qgis version="3.22.0" styleCategories="AllStyleCategories" labelsEnabled="0" hasScaleBasedVisibilityFlag="0">
 <renderer-v2 type="RuleRenderer" symbollevels="0" enableorderby="0" forceraster="0">
  {{ parts.rules(heading, bands) }}
  <symbols>
   {% for band in bands %}
   {{ parts.circle(loop.index0, band.colour, band.size, band.filled) }}
   {% endfor %}
  </symbols>
 </renderer-v2>
 {{ parts.fields(layer) }}
 <previewExpression>"junction_id"</previewExpression>
 <mapTip>{% filter forceescape %}<b>Junction of {{ parts.number("arms", 0) }} arms</b><br>
Collisions: {{ parts.number("n_collisions", 0) }}, of these KSI: {{ parts.number("n_ksi", 0) }}{% endfilter %}</mapTip>
 <layerGeometryType>0</layerGeometryType>
</qgis>

{% import "parts.qml" as parts %}
<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>
<qgis version="3.22.0" styleCategories="AllStyleCategories" labelsEnabled="1" hasScaleBasedVisibilityFlag="0">
 <renderer-v2 type="RuleRenderer" symbollevels="1" enableorderby="0" forceraster="0">
  {{ parts.rules(heading, bands) }}
  <symbols>
   {% for band in bands %}
   {{ parts.line(loop.index0, band.colour, band.size, "dot" if band.filter == "ELSE" else "solid") }}
   {% endfor %}
  </symbols>
 </renderer-v2>
 {{ parts.street_names(names, names_from) }}
 {{ parts.fields(layer) }}
 <previewExpression>"segment_id"</previewExpression>
 {{ parts.segment_tip(tip) }}
 <layerGeometryType>1</layerGeometryType>
</qgis>

{% import "parts.qml" as parts %}
<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>
<qgis version="3.22.0" styleCategories="AllStyleCategories" labelsEnabled="1" hasScaleBasedVisibilityFlag="0">
 <renderer-v2 type="categorizedSymbol" attr="cluster" symbollevels="1" enableorderby="0" forceraster="0">
  <categories>
   {% for cluster, title, _ in looks %}
   <category symbol="{{ loop.index0 }}" value="{{ cluster }}" type="long" label="{{ title }}" render="true"/>
   {% endfor %}
   <category symbol="{{ looks | length }}" value="" type="string" label="{{ untyped }}" render="true"/>
  </categories>
  <symbols>
   {% for _, _, look in looks %}
   {{ parts.line(loop.index0, look.colour, "0.8", look.pattern, width) }}
   {% endfor %}
   {{ parts.line(looks | length, unknown, "0.4", "dot") }}
  </symbols>
 </renderer-v2>
 {{ parts.street_names(names, names_from) }}
 {{ parts.fields(layer) }}
 <previewExpression>"segment_id"</previewExpression>
 {{ parts.segment_tip(tip) }}
 <layerGeometryType>1</layerGeometryType>
</qgis>

{% import "parts.qml" as parts %}
<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>
<qgis version="3.22.0" styleCategories="AllStyleCategories" labelsEnabled="0" hasScaleBasedVisibilityFlag="0">
 <renderer-v2 type="RuleRenderer" symbollevels="1" enableorderby="0" forceraster="0">
  {{ parts.rules(heading, bands) }}
  <symbols>
   {% for band in bands %}
   {% if layer.geometry == "Polygon" %}{{ parts.outline(loop.index0, band.colour, band.size) }}{% else %}{{ parts.line(loop.index0, band.colour, band.size, "solid") }}{% endif %}

   {% endfor %}
  </symbols>
 </renderer-v2>
 {{ parts.fields(layer) }}
 <previewExpression>"{{ "tile_id" if layer.geometry == "Polygon" else "segment_id" }}"</previewExpression>
 <mapTip>{% filter forceescape %}<b>[% "rank" %]: {{ parts.text("name", "unnamed road") }}</b><br>
Likeness {{ parts.number("likeness", 3) }}, place [% "rank_of_all" %] of [% "of_all" %]<br>
Looks most like {{ parts.text("why", "") }}{% endfilter %}</mapTip>
 <layerGeometryType>{{ 2 if layer.geometry == "Polygon" else 1 }}</layerGeometryType>
</qgis>

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
 <previewExpression>"treatment_id"</previewExpression>
 <mapTip>{% filter forceescape %}<b>[% "kind" %]</b>, works from [% coalesce("start", 'not known') %]<br>
Collisions before: {{ parts.number("n_collisions_before", 0) }}, after: {{ parts.number("n_collisions_after", 0) }}<br>
Expected after without it: {{ parts.number("collisions_expected", 1) }}<br>
Index: {{ parts.number("collisions_index", 2) }} ({{ parts.number("collisions_index_low", 2) }} to
{{ parts.number("collisions_index_high", 2) }}; 1: no change), an observational estimate<br>
[% coalesce('Not studied: ' || "reason", '') %]{% endfilter %}</mapTip>
 <layerGeometryType>0</layerGeometryType>
</qgis>

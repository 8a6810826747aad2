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
 <mapTip>{% filter forceescape %}<b>{{ parts.text("junction_type", "Junction") }}</b>, {{ parts.number("arms", 0) }} arms, {{ parts.text("highest_class", "class not known") }}<br>
[% coalesce('Type ' || "cluster" || ' by its look', 'no imagery') %]<br>
Collisions: {{ parts.number("n_collisions", 0) }}, of these KSI: {{ parts.number("n_ksi", 0) }}{{ parts.untold() }}, in [% {{ time | safe }} %]<br>
{{ parts.rates(rates) }}
[% coalesce('Mean rank ' || format_number("expected_rank", 0) || ' by the shrunk rate of ' || "rank_of" || '; among the worst 5 % with a probability of ' || {{ worst | safe }} || '<br>', '') %]
[% CASE WHEN "shown_tile" IS NULL OR attribute(get_feature('roadprint_junction_tiles', 'tile_id', "shown_tile"), 'thumbnail') IS NULL THEN '' ELSE '<img width="160" src="data:image/jpeg;base64,' || to_base64(attribute(get_feature('roadprint_junction_tiles', 'tile_id', "shown_tile"), 'thumbnail')) || '">' END %]{% endfilter %}</mapTip>
 <layerGeometryType>0</layerGeometryType>
</qgis>

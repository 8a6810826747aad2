{# What the styles share. QGIS 3.22 and later need of a symbol layer only what differs from its defaults. #}
{% macro option(name, value) %}<Option name="{{ name }}" type="QString" value="{{ value }}"/>{% endmacro %}

{# A property that QGIS works out for each row. #}
{% macro computed(name, expression, others="") %}
    <data_defined_properties><Option type="Map"><Option name="name" type="QString" value=""/><Option name="properties" type="Map">
     <Option name="{{ name }}" type="Map"><Option name="active" type="bool" value="true"/><Option name="expression" type="QString" value="{{ expression }}"/><Option name="type" type="int" value="3"/></Option>
     {{ others }}
    </Option><Option name="type" type="QString" value="collection"/></Option></data_defined_properties>
{% endmacro %}

{% macro more(name, expression) %}<Option name="{{ name }}" type="Map"><Option name="active" type="bool" value="true"/><Option name="expression" type="QString" value="{{ expression }}"/><Option name="type" type="int" value="3"/></Option>{% endmacro %}

{% macro stroke(colour, width, pattern, computed_width, level=1) %}
   <layer class="SimpleLine" enabled="1" pass="{{ level }}" locked="0"><Option type="Map">
    {{ option("line_color", colour) }}{{ option("line_width", width) }}{{ option("line_width_unit", "MM") }}
    {{ option("line_style", pattern) }}{{ option("capstyle", "flat" if pattern != "solid" else "round") }}{{ option("joinstyle", "round") }}
   </Option>{% if computed_width %}{{ computed("outlineWidth", computed_width) }}{% endif %}</layer>
{% endmacro %}

{# White on both sides, so that dark colours stand out from dark imagery; all of it below all lines, so that it cuts none. #}
{% macro line(index, colour, width, pattern, computed_width="") %}
   <symbol name="{{ index }}" type="line" alpha="1">
   {% if pattern != "dot" %}{{ stroke("255,255,255,210", width | float + 0.5, "solid", computed_width and "(" ~ computed_width ~ ") + 0.5", 0) }}{% endif %}
   {{ stroke(colour | rgba, width, pattern, computed_width) }}
   </symbol>
{% endmacro %}

{% macro outline(index, colour, width) %}
   <symbol name="{{ index }}" type="fill" alpha="1">
   {{ stroke("255,255,255,210", width | float + 0.5, "solid", "", 0) }}
   {{ stroke(colour | rgba, width, "solid", "") }}
   </symbol>
{% endmacro %}

{% macro circle(index, colour, size, filled=true) %}
   <symbol name="{{ index }}" type="marker" alpha="1"><layer class="SimpleMarker" enabled="1" pass="0" locked="0"><Option type="Map">
    {{ option("name", "circle") }}{{ option("color", colour | rgba if filled else "255,255,255,0") }}
    {{ option("outline_color", "#FFFFFF" | rgba if filled else colour | rgba) }}{{ option("outline_width", "0.1" if filled else "0.2") }}
    {{ option("size", size) }}{{ option("size_unit", "MM") }}
   </Option></layer></symbol>
{% endmacro %}

{% macro rules(heading, bands) %}
  <rules key="{root}">
   <rule key="{heading}" label="{{ heading }}">
    {% for band in bands %}
    <rule key="{{ '{band' ~ loop.index0 ~ '}' }}" filter="{{ band.filter }}" symbol="{{ loop.index0 }}" label="{{ band.label }}"/>
    {% endfor %}
   </rule>
  </rules>
{% endmacro %}

{# Names along lines when near: parts of one street are labelled as one, and none over another. #}
{% macro street_names(expression, scale, size=8) %}
 <labeling type="simple"><settings calloutType="simple">
  <text-style fieldName="{{ expression }}" isExpression="1" fontFamily="DejaVu Sans" fontWeight="50" namedStyle="Book" fontSize="{{ size }}" fontSizeUnit="Point" textColor="40,40,40,255" textOpacity="1"><text-buffer bufferDraw="1" bufferSize="1" bufferSizeUnits="MM" bufferColor="255,255,255,255" bufferOpacity="0.9" bufferNoFill="0"/></text-style>
  <text-format wrapChar="" multilineAlign="3"/>
  <placement placement="3" placementFlags="10" dist="0" distUnits="MM" overrunDistance="0" priority="5" maxCurvedCharAngleIn="25" maxCurvedCharAngleOut="-25" repeatDistance="100" repeatDistanceUnits="MM"/>
  <rendering scaleVisibility="1" scaleMin="0" scaleMax="{{ scale }}" mergeLines="1" labelPerPart="0" displayAll="0" obstacle="0" minFeatureSize="0" limitNumLabels="0" upsidedownLabels="0" fontLimitPixelSize="0" drawLabels="1"/>
 </settings></labeling>
{% endmacro %}

{# what a form says of yes, no, and what QGIS writes for no value (its constant VALUEMAP_NULL_TEXT) #}
{% set yes_no = [("true", "yes"), ("false", "no"), ("{2839923C-8B7D-419E-B84B-CA2FE9B80EC7}", "not known")] %}
{% macro fields(layer) %}
 <fieldConfiguration>
  <field name="fid" configurationFlags="None"><editWidget type="Hidden"><config><Option/></config></editWidget></field>
  {% for column in layer.columns %}
  {% if column.kind == "boolean" %}
  <field name="{{ column.name }}" configurationFlags="None"><editWidget type="ValueMap"><config><Option type="Map"><Option name="map" type="List">{% for value, said in yes_no %}<Option type="Map"><Option name="{{ said }}" type="QString" value="{{ value }}"/></Option>{% endfor %}</Option></Option></config></editWidget></field>
  {% else %}
  <field name="{{ column.name }}" configurationFlags="None"><editWidget type="{{ {'datetime': 'DateTime', 'blob': 'Binary'}.get(column.kind, 'TextEdit') }}"><config><Option/></config></editWidget></field>
  {% endif %}
  {% endfor %}
 </fieldConfiguration>
 <aliases>
  {% for column in layer.columns %}
  <alias field="{{ column.name }}" name="{{ column.alias }}"/>
  {% endfor %}
 </aliases>
{% endmacro %}

{# Text of the data inside the HTML of a map tip: QGIS has no function that escapes it. #}
{% macro text(field, missing) %}[% replace(replace(left(coalesce("{{ field }}", '{{ missing }}'), 80), '&', '&amp;'), '<', '&lt;') %]{% endmacro %}

{% macro number(field, places) %}[% coalesce(format_number("{{ field }}", {{ places }}), 'not known') %]{% endmacro %}

{# A rate: what would be rounded to nothing is not nothing. #}
{% macro rate(field) %}[% CASE WHEN "{{ field }}" > 0 AND "{{ field }}" < 0.005 THEN 'under 0.01' ELSE coalesce(format_number("{{ field }}", 2), 'not known') END %]{% endmacro %}
{% macro rates(all) %}
{% for rate_ in all %}
{{ rate_.title }}: {{ rate(rate_.name ~ "_eb") }} shrunk{% if rate_.shrunk %} ({{ rate(rate_.name ~ "_eb_low") }} to {{ rate(rate_.name ~ "_eb_high") }}){% endif %}; recorded {{ rate(rate_.name) }}{% if rate_.exact %} ({{ rate(rate_.name ~ "_low") }} to {{ rate(rate_.name ~ "_high") }}){% endif %}<br>
{% endfor %}
{% endmacro %}

{# Tips that look rows of other layers up do so by the ids that layers have in the project 'overview'; where a layer is
   opened by itself, those lines stay empty. #}
{% macro jpeg(tile) %}attribute(get_feature('roadprint_tiles', 'tile_id', {{ tile | safe }}), 'thumbnail'){% endmacro %}
{% macro image(tile) %}'<img width="160" src="data:image/jpeg;base64,' || to_base64({{ jpeg(tile) }}) || '">'{% endmacro %}
{% set typical %}string_to_array(attribute(get_feature('roadprint_clusters', 'cluster', "cluster"), 'prototype_tiles'), ';')[0]{% endset %}

{# The segment's own pictures, up to three, else that of a road typical of its type. #}
{% set own %}aggregate('roadprint_tiles', 'array_agg', '<img width="160" src="data:image/jpeg;base64,' || to_base64("thumbnail") || '"> ', "segment_id" = attribute(@parent, 'segment_id') AND "thumbnail" IS NOT NULL, order_by:="position_m"){% endset %}
{% macro picture() %}[% CASE WHEN "shown_tile" IS NOT NULL AND {{ jpeg('"shown_tile"') | safe }} IS NOT NULL THEN array_to_string(array_slice({{ own | safe }}, 0, 2), '') WHEN {{ jpeg(typical) | safe }} IS NOT NULL THEN 'Typical of its type:<br>' || {{ image(typical) | safe }} ELSE '' END %]{% endmacro %}

{# Of how many collisions severity is not known, beside their KSI; empty where it is known of all. #}
{% macro untold() %}[% CASE WHEN "n_severity_unknown" > 0 THEN ' (severity not known of ' || format_number("n_severity_unknown", 0) || ')' ELSE '' END %]{% endmacro %}

{% macro segment_tip(tip) %}
 <mapTip>{% filter forceescape %}<b>{{ text("name", "unnamed road") }}</b>, {{ text("road_class", "class not known") }}<br>
[% {{ tip.types | safe }} %], {{ number("length_m", 0) }} m, {{ number("n_tiles", 0) }} tiles<br>
Collisions: {{ number("n_collisions", 0) }}, of these KSI: {{ number("n_ksi", 0) }}{{ untold() }}, in [% {{ tip.time | safe }} %]<br>
{{ rates(tip.rates) }}
{% for note in tip.notes %}{{ note }}<br>
{% endfor %}
{% if tip.alike %}[% coalesce('Looks most like: ' || array_to_string(array_distinct(array_foreach(string_to_array("looks_like", ';'), replace(replace(coalesce(attribute(get_feature('roadprint_segments', 'segment_id', @element), 'name'), @element), '&', '&amp;'), '<', '&lt;'))), ', ') || '<br>', '') %]
{% endif %}
{% if tip.differs %}[% coalesce('On the ground, from the first of them: ' || replace(replace("looks_like_differs", '&', '&amp;'), '<', '&lt;') || '<br>', '') %]
{% endif %}
{% if tip.factors %}[% CASE WHEN "n_risk_factors" > 0 THEN 'Risk factors (association, not cause): ' || replace(replace("risk_factors", '&', '&amp;'), '<', '&lt;') || CASE WHEN "systemic_ratio" IS NOT NULL THEN '; ' || format_number("systemic_ratio", 1) || ' times (' || format_number("systemic_ratio_low", 1) || ' to ' || format_number("systemic_ratio_high", 1) || ') roads without them' ELSE '' END || CASE WHEN "focus_recorded" THEN '' ELSE '; no such collision yet' END || '<br>' ELSE '' END %]
{% endif %}
{% if tip.pictures %}{{ picture() }}{% endif %}{% endfilter %}</mapTip>
{% endmacro %}

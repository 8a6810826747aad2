{# What the styles share. QGIS 3.22 and later need of a symbol layer only what differs from its defaults. #}
{% macro option(name, value) %}<Option name="{{ name }}" type="QString" value="{{ value }}"/>{% endmacro %}

{% macro line(index, colour, width, pattern) %}
   <symbol name="{{ index }}" type="line" alpha="1"><layer class="SimpleLine" enabled="1" pass="0" locked="0"><Option type="Map">
    {{ option("line_color", colour | rgba) }}{{ option("line_width", width) }}{{ option("line_width_unit", "MM") }}
    {{ option("line_style", pattern) }}{{ option("capstyle", "flat" if pattern != "solid" else "round") }}{{ option("joinstyle", "round") }}
   </Option></layer></symbol>
{% endmacro %}

{% macro circle(index, colour, size, filled=true) %}
   <symbol name="{{ index }}" type="marker" alpha="1"><layer class="SimpleMarker" enabled="1" pass="0" locked="0"><Option type="Map">
    {{ option("name", "circle") }}{{ option("color", colour | rgba if filled else "255,255,255,0") }}
    {{ option("outline_color", "#FFFFFF" | rgba if filled else colour | rgba) }}{{ option("outline_width", "0.2") }}
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

{% macro fields(layer) %}
 <fieldConfiguration>
  <field name="fid" configurationFlags="None"><editWidget type="Hidden"><config><Option/></config></editWidget></field>
  {% for column in layer.columns %}
  <field name="{{ column.name }}" configurationFlags="None"><editWidget type="{{ 'DateTime' if column.kind == 'datetime' else 'TextEdit' }}"><config><Option/></config></editWidget></field>
  {% endfor %}
 </fieldConfiguration>
 <aliases>
  {% for column in layer.columns %}
  <alias field="{{ column.name }}" name="{{ column.alias }}"/>
  {% endfor %}
 </aliases>
{% endmacro %}

{# Text of the data inside the HTML of a map tip: QGIS has no function that escapes it. #}
{% macro text(field, missing) %}[% replace(replace(coalesce("{{ field }}", '{{ missing }}'), '&', '&amp;'), '<', '&lt;') %]{% endmacro %}

{% macro number(field, places) %}[% coalesce(format_number("{{ field }}", {{ places }}), 'not known') %]{% endmacro %}

{% macro segment_tip() %}
 <mapTip>{% filter forceescape %}<b>{{ text("name", "unnamed road") }}</b>, {{ text("road_class", "class not known") }}<br>
[% CASE WHEN "cluster" IS NULL THEN 'no imagery' ELSE 'Type ' || "cluster" END %], {{ number("length_m", 0) }} m<br>
Collisions: {{ number("n_collisions", 0) }}, of these KSI: {{ number("n_ksi", 0) }}, in {{ number("years", 1) }} years<br>
KSI per km and year: {{ number("ksi_per_km_year", 2) }} ({{ number("ksi_per_km_year_low", 2) }} to {{ number("ksi_per_km_year_high", 2) }}), shrunk {{ number("ksi_per_km_year_eb", 2) }}{% endfilter %}</mapTip>
{% endmacro %}

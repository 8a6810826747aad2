{% import "parts.qml" as parts %}
<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>
<qgis version="3.22.0" styleCategories="AllStyleCategories" labelsEnabled="0" hasScaleBasedVisibilityFlag="0">
 {# a layer that draws nothing at the scale of a city would look broken: seen from afar, the ground covered is shaded #}
 <renderer-v2 type="RuleRenderer" symbollevels="0" enableorderby="0" forceraster="0">
  <rules key="{root}">
   <rule key="{near}" symbol="0" scalemaxdenom="{{ scale }}" filter="coalesce(&quot;encoded&quot;, true)" label="tile that the encoder saw"/>
   <rule key="{picture}" symbol="2" scalemaxdenom="{{ scale }}" filter="&quot;thumbnail&quot; IS NOT NULL" label="tile with its picture"/>
   <rule key="{far}" symbol="1" scalemindenom="{{ scale }}" filter="coalesce(&quot;encoded&quot;, true)" label="ground that the encoder saw"/>
  </rules>
  <symbols>
   <symbol name="0" type="fill" alpha="1"><layer class="SimpleLine" enabled="1" pass="0" locked="0"><Option type="Map">
    {{ parts.option("line_color", colour | rgba) }}{{ parts.option("line_width", "0.15") }}{{ parts.option("line_width_unit", "MM") }}
   </Option></layer></symbol>
   <symbol name="1" type="fill" alpha="0.25"><layer class="SimpleFill" enabled="1" pass="0" locked="0"><Option type="Map">
    {{ parts.option("color", colour | rgba) }}{{ parts.option("outline_style", "no") }}
   </Option></layer></symbol>
   {# its size on the ground, from its own outline; the picture of a turned tile has its road running upwards #}
   <symbol name="2" type="fill" alpha="1"><layer class="CentroidFill" enabled="1" pass="0" locked="0"><Option type="Map">{{ parts.option("point_on_surface", "0") }}{{ parts.option("clip_points", "0") }}</Option>
    <symbol name="@2@0" type="marker" alpha="1"><layer class="RasterMarker" enabled="1" pass="0" locked="0"><Option type="Map">
     {{ parts.option("alpha", "1") }}{{ parts.option("imageFile", "") }}{{ parts.option("size", "100") }}{{ parts.option("size_unit", "MapUnit") }}{{ parts.option("fixedAspectRatio", "0") }}
    </Option>{{ parts.computed("name", "'base64:' || to_base64(\"thumbnail\")", parts.more("width", "sqrt(area($geometry))") ~ (parts.more("angle", '"bearing"') if turned else "")) }}</layer></symbol>
   </layer></symbol>
  </symbols>
 </renderer-v2>
 {{ parts.fields(layer) }}
 <previewExpression>"tile_id"</previewExpression>
 <mapTip>{% filter forceescape %}<b>Tile</b> {% if of_roads %}{{ parts.number("position_m", 0) }} m along its segment{% else %}of a junction{% endif %}, coverage {{ parts.number("coverage", 2) }}<br>
[% CASE WHEN "thumbnail" IS NULL THEN '' ELSE '<img width="200" src="data:image/jpeg;base64,' || to_base64("thumbnail") || '">' END %]{% endfilter %}</mapTip>
 <layerGeometryType>2</layerGeometryType>
</qgis>

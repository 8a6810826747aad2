{% import "parts.qml" as parts %}
<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>
<qgis version="3.22.0" styleCategories="AllStyleCategories" labelsEnabled="0" hasScaleBasedVisibilityFlag="0">
 {# a layer that draws nothing at the scale of a city would look broken: seen from afar, the ground covered is shaded #}
 <renderer-v2 type="RuleRenderer" symbollevels="0" enableorderby="0" forceraster="0">
  <rules key="{root}">
   <rule key="{near}" symbol="0" scalemaxdenom="{{ scale }}" label="tile"/>
   <rule key="{far}" symbol="1" scalemindenom="{{ scale }}" label="ground covered by tiles"/>
  </rules>
  <symbols>
   <symbol name="0" type="fill" alpha="1"><layer class="SimpleLine" enabled="1" pass="0" locked="0"><Option type="Map">
    {{ parts.option("line_color", colour | rgba) }}{{ parts.option("line_width", "0.15") }}{{ parts.option("line_width_unit", "MM") }}
   </Option></layer></symbol>
   <symbol name="1" type="fill" alpha="0.25"><layer class="SimpleFill" enabled="1" pass="0" locked="0"><Option type="Map">
    {{ parts.option("color", colour | rgba) }}{{ parts.option("outline_style", "no") }}
   </Option></layer></symbol>
  </symbols>
 </renderer-v2>
 {{ parts.fields(layer) }}
 <previewExpression>"tile_id"</previewExpression>
 <layerGeometryType>2</layerGeometryType>
</qgis>

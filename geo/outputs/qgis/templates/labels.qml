{% import "parts.qml" as parts %}
<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>
<qgis version="3.22.0" styleCategories="AllStyleCategories" labelsEnabled="1" hasScaleBasedVisibilityFlag="0">
 <renderer-v2 type="categorizedSymbol" attr="{{ attribute }}" symbollevels="0" enableorderby="0" forceraster="0">
  <categories>
   {% for name, _ in looks %}
   <category symbol="{{ loop.index0 }}" value="{{ name }}" type="string" label="{{ name }}" render="true"/>
   {% endfor %}
   <category symbol="{{ looks | length }}" value="" type="string" label="{{ others }}" render="true"/>
  </categories>
  <symbols>
   {% for colour in colours %}
   {% if kind == 0 %}
   {{ parts.circle(loop.index0, colour, "2.4") }}
   {% elif kind == 1 %}
   {{ parts.line(loop.index0, colour, "0.8", "solid") }}
   {% else %}
   <symbol name="{{ loop.index0 }}" type="fill" alpha="1"><layer class="SimpleFill" enabled="1" pass="0" locked="0"><Option type="Map">
    {{ parts.option("color", (colour | rgba)[:-3] ~ ("0" if outline else "70")) }}{{ parts.option("style", "no" if outline else "solid") }}
    {{ parts.option("outline_color", colour | rgba) }}{{ parts.option("outline_style", "dash" if outline else "solid") }}{{ parts.option("outline_width", "0.6") }}
   </Option></layer></symbol>
   {% endif %}
   {% endfor %}
  </symbols>
 </renderer-v2>
 <labeling type="simple"><settings calloutType="simple">
  <text-style fieldName="{{ shown }}" isExpression="1" fontSize="8" textColor="20,20,20,255"><text-buffer bufferDraw="1" bufferSize="0.8" bufferColor="255,255,255,255"/></text-style>
 </settings></labeling>
 <fieldConfiguration>
  <field name="fid" configurationFlags="None"><editWidget type="Hidden"><config><Option/></config></editWidget></field>
  {% for name, widget in widgets.items() %}
  <field name="{{ name }}" configurationFlags="None"><editWidget type="{{ widget }}"><config><Option type="Map">{% if widget == "UniqueValues" %}<Option name="Editable" type="bool" value="true"/>{% endif %}</Option></config></editWidget></field>
  {% endfor %}
 </fieldConfiguration>
 <previewExpression>"{{ shown }}"</previewExpression>
 <layerGeometryType>{{ kind }}</layerGeometryType>
</qgis>

{% import "parts.qml" as parts %}
<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>
<qgis version="3.22.0" styleCategories="AllStyleCategories" labelsEnabled="{{ 1 if names else 0 }}" hasScaleBasedVisibilityFlag="0">
 <renderer-v2 type="RuleRenderer" symbollevels="1" enableorderby="0" forceraster="0">
  {{ parts.rules(heading, bands) }}
  <symbols>
   {% for band in bands %}
   {{ parts.line(loop.index0, band.colour, band.size, "dot" if band.filter == "ELSE" else "solid") }}
   {% endfor %}
  </symbols>
 </renderer-v2>
 {% if names %}{{ parts.street_names(names, names_from, 9) }}{% endif %}

 {{ parts.fields(layer) }}
 {% if tip %}<mapTip>{% filter forceescape %}{{ tip | safe }}{% endfilter %}</mapTip>{% endif %}

 <layerGeometryType>1</layerGeometryType>
</qgis>

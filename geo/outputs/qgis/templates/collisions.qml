{% import "parts.qml" as parts %}
<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>
<qgis version="3.22.0" styleCategories="AllStyleCategories" labelsEnabled="0" hasScaleBasedVisibilityFlag="0">
 {# the gravest are drawn last, on top #}
 {% if user %}
 {# rules, of which a theme switches none on that is off #}
 <renderer-v2 type="RuleRenderer" symbollevels="0" enableorderby="1" forceraster="0">
  <rules key="{root}">
   <rule key="{user}" filter="&quot;{{ user }}&quot; AND &quot;snap_status&quot; = 'matched'">
    {% for severity in colours %}
    <rule key="{{ '{severity' ~ loop.index0 ~ '}' }}" filter="&quot;severity&quot; = '{{ severity }}'" symbol="{{ loop.index0 }}" label="{{ words[severity] }}"/>
    {% endfor %}
    {% if unhurt %}
    <rule key="{unhurt}" filter="&quot;severity&quot; IS NULL AND &quot;severity_known&quot;" symbol="{{ colours | length + 2 }}" label="{{ unhurt }}"/>
    {% endif %}
    <rule key="{unknown}" filter="&quot;severity&quot; IS NULL{% if unhurt %} AND NOT coalesce(&quot;severity_known&quot;, false){% endif %}" symbol="{{ colours | length }}" label="severity not known"/>
   </rule>
  </rules>
 {% else %}
 <renderer-v2 type="categorizedSymbol" attr="CASE WHEN &quot;snap_status&quot; &lt;&gt; 'matched' THEN 'left out' {% if unhurt %}WHEN &quot;severity&quot; IS NULL AND &quot;severity_known&quot; THEN '{{ unhurt }}' {% endif %}ELSE &quot;severity&quot; END" symbollevels="0" enableorderby="1" forceraster="0">
  <categories>
   {% for severity in colours %}
   <category symbol="{{ loop.index0 }}" value="{{ severity }}" type="string" label="{{ words[severity] }}" render="true"/>
   {% endfor %}
   <category symbol="{{ colours | length + 1 }}" value="left out" type="string" label="left out of all counts (the column 'Placed' says why)" render="false"/>
   {% if unhurt %}
   <category symbol="{{ colours | length + 2 }}" value="{{ unhurt }}" type="string" label="{{ unhurt }}" render="true"/>
   {% endif %}
   <category symbol="{{ colours | length }}" value="" type="string" label="severity not known" render="true"/>
  </categories>
 {% endif %}
  <symbols>
   {% for severity, colour in colours.items() %}
   {{ parts.circle(loop.index0, colour, ["2.6", "1.9", "1.3"][loop.index0]) }}
   {% endfor %}
   {{ parts.circle(colours | length, unknown, "1.2") }}
   {{ parts.circle(colours | length + 1, left_out, "1.4", false) }}
   {% if unhurt %}{{ parts.circle(colours | length + 2, unknown, "0.8") }}{% endif %}

  </symbols>
  <orderby>
   <orderByClause asc="1" nullsFirst="1">CASE WHEN "severity" = 'fatal' THEN 3 WHEN "severity" = 'serious' THEN 2 WHEN "severity" = 'slight' THEN 1 ELSE 0 END</orderByClause>
  </orderby>
 </renderer-v2>
 {{ parts.fields(layer) }}
 <previewExpression>"collision_id"</previewExpression>
 {# what stands in place of a severity #}
 {% set untold %}{% if unhurt %}CASE WHEN "severity_known" THEN '{{ unhurt }}' ELSE 'severity not known' END{% else %}'severity not known'{% endif %}{% endset %}
 <mapTip>{% filter forceescape %}<b>[% {% if words.slight != "slight" %}CASE WHEN "severity" = 'slight' THEN '{{ words.slight }}' ELSE coalesce("severity", {{ untold }}) END{% else %}coalesce("severity", {{ untold }}){% endif %} %]</b>, [% coalesce(format_date("date", 'yyyy-MM-dd'), 'date not known') %]<br>
{{ parts.text("snap_status", "") }}, {{ parts.number("snap_distance_m", 1) }} m from the road{% endfilter %}</mapTip>
 <layerGeometryType>0</layerGeometryType>
</qgis>

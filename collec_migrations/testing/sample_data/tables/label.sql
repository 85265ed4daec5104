-- Labels of the laboratory's own, beside the example that an installation starts with.
select id as label_id, 'Tube ' || id as label_name,
  '<?xml version="1.0" encoding="UTF-8"?>' || chr(10)
    || '<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">'
    || '<xsl:template match="object"><xsl:value-of select="uid"/></xsl:template>'
    || '</xsl:stylesheet>' as label_xsl,
  'uid,id,clp,db' as label_fields,
  case when mod(n, 2) = 0 then %(metadata_first)s + mod(n, %(metadata_count)s) end as metadata_id
from made

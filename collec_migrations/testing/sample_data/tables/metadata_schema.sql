-- Vocabularies that attributes are taken from, up to 1.0.8.
select id as metadata_schema_id,
  (array['Dublin Core', 'Darwin Core', 'Ecological Metadata Language'])[1 + mod(n, 3)]
    as metadata_schema_name,
  (array['dc', 'dwc', null])[1 + mod(n, 3)] as metadata_schema_short_name,
  case when mod(n, 3) < 2 then 'https://vocabulary.example/' || id end as uri
from made

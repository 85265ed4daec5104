-- Forms for the metadata of samples, from 1.1 on.
select id as metadata_id, 'Form ' || id as metadata_name,
  '[{"nom":"taxon","type":"string","require":true,"helper":"Scientific name"},'
    || '{"nom":"weight_' || id || '","type":"number","require":false,"measureUnit":"g"}]'
    as metadata_schema
from made

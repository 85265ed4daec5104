-- Sets of attributes, up to 1.0.8.
select id as metadata_set_id,
  (array['Fish', 'Sediment core', 'Water', 'Plankton'])[1 + mod(n, 4)] || ' ' || id
    as metadata_set_name
from made

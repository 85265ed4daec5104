-- Collections that samples are taken for.
select id as collection_id,
  (array['Estuary watch', 'Lake cores', 'Eel', 'Plancton côtier', 'O''Neill survey'])
    [1 + mod(n, 5)] || ' ' || id as collection_name
from made

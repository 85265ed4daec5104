-- Projects that samples are taken for.
select id as project_id,
  (array['Estuary watch', 'Lake cores', 'Eel', 'Plancton côtier', 'O''Neill survey'])
    [1 + mod(n, 5)] || ' ' || id as project_name
from made

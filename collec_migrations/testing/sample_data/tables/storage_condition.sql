-- How things are kept.
select id as storage_condition_id,
  (array['Ambient', '+4 °C', '-20 °C', '-80 °C', 'Liquid nitrogen'])[1 + mod(n, 5)]
    || ' #' || id as storage_condition_name
from made

-- Where samples were taken.
select id as sampling_place_id,
  (array['Gironde – PK 30', 'Étang de Thau', 'Lac d''Annecy', 'Rhône @ Arles', 'Øresund'])
    [1 + mod(n, 5)] || ' #' || id as sampling_place_name
from made

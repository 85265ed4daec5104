-- The events that an installation starts with.
select * from (values
  (1, 'Autre', true, true),
  (2, 'Conteneur cassé', false, true),
  (3, 'Échantillon détruit', true, false),
  (4, 'Prélèvement pour analyse', true, false),
  (5, 'Échantillon totalement analysé, détruit', true, false)
) as known (event_type_id, event_type_name, is_sample, is_container)

-- The states that an installation starts with.
select * from (values
  (1, 'État normal'),
  (2, 'Objet pré-réservé pour usage ultérieur'),
  (3, 'Objet détruit'),
  (4, 'Echantillon vidé de tout contenu')
) as known (object_status_id, object_status_name)

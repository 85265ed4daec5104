-- The two movements; the application knows them by their ids.
select * from (values (1, 'Entrée/Entry'), (2, 'Sortie/Exit'))
  as known (movement_type_id, movement_type_name)

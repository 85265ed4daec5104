-- The ways to count parts of a sample that an installation starts with.
select * from (values (1, 'Unité'), (2, 'Pourcentage'), (3, 'Quantité ou volume'), (4, 'Autre'))
  as known (multiple_type_id, multiple_type_name)

-- The families that an installation starts with.
select * from (values (1, 'Immobilier', false), (2, 'Mobilier', false))
  as known (container_family_id, container_family_name, is_movable)

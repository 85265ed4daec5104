-- stop: a parameter of the map needs an id that another parameter has
-- hint: Give the other parameter another id in dbparam, or delete it.
select dbparam_id, dbparam_name, dbparam_value, wanted.name as needed_by
from col.dbparam
join (values (3, 'mapDefaultX'), (4, 'mapDefaultY'), (5, 'mapDefaultZoom')) as wanted (id, name)
    on wanted.id = dbparam.dbparam_id
where dbparam_name <> wanted.name
  and not exists (
      select 1 from col.dbparam as present where present.dbparam_name = wanted.name
  )
order by dbparam_id;

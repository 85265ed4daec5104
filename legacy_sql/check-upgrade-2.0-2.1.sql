-- stop: the parameter APPLI_title needs the id 2, which another one has
-- hint: Give that parameter another id in dbparam, or delete it.
select dbparam_id, dbparam_name, dbparam_value
from col.dbparam
where dbparam_id = 2 and dbparam_name <> 'APPLI_title';

-- stop: a parameter APPLI_title is there already, under another id than 2
-- hint: Give that parameter the id 2 in dbparam, and delete further ones of this name.
select dbparam_id, dbparam_name, dbparam_value
from col.dbparam
where dbparam_name = 'APPLI_title' and dbparam_id <> 2
order by dbparam_id;

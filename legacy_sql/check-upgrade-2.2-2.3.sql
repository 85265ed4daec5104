-- stop: the application needs the status 6 for lent objects, but another one has this id
-- hint: Give that status another id, in object_status and in object.object_status_id.
select object_status_id, object_status_name,
       (select count(*)
        from col.object
        where object.object_status_id = object_status.object_status_id) as objects
from col.object_status
where object_status_id = 6 and object_status_name <> 'Objet prêté';

-- stop: a status is called Objet prêté, but the application needs it under the id 6
-- hint: Give that status the id 6, in object_status and in object.object_status_id, or another name.
select object_status_id, object_status_name,
       (select count(*)
        from col.object
        where object.object_status_id = object_status.object_status_id) as objects
from col.object_status
where object_status_name = 'Objet prêté' and object_status_id <> 6
order by object_status_id;

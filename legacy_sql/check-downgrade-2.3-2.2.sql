-- warn: objects have the status 6 of lent objects, which stays
-- hint: Give them another status before the downgrade, or leave it: version 2.2 shows it as any other.
select object.object_status_id, object_status.object_status_name, count(*) as objects
from col.object
join col.object_status using (object_status_id)
where object.object_status_id = 6
group by object.object_status_id, object_status.object_status_name;

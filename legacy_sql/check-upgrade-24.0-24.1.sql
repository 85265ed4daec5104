-- warn: referents of the same name: their names cannot be unique again, the index is left out
-- hint: Give the referents different names, then run verify --repair, which makes the index referent_referent_name_idx.
select referent_name, referent_id, referent_firstname, referent_organization
from col.referent
where referent_name in (
    select referent_name from col.referent group by referent_name having count(*) > 1
)
order by referent_name, referent_id;

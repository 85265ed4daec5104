-- warn: a schema of metadata is not a list of fields: its keys stay as they are
-- hint: Correct the schema in the application if samples have to be described by it.
select metadata_id, metadata_name
from col.metadata
where not coalesce(
    case when json_typeof(metadata_schema) = 'array' then not exists (
        select 1
        from json_array_elements(metadata_schema) as element
        where json_typeof(element.value) <> 'object'
    ) else metadata_schema is null end, false
)
order by metadata_id;

-- warn: a field of metadata has a key in its old and in its new spelling: both stay
-- hint: Remove one of the two keys from the field: the application reads the new one.
select metadata_id, metadata_name, listed.place as field, spelling.old as old_key,
       spelling.new as new_key
from col.metadata,
     json_array_elements(
         case when json_typeof(metadata_schema) = 'array' then metadata_schema else '[]' end
     ) with ordinality as listed (field, place),
     (values ('nom', 'name'), ('require', 'required'), ('meusureUnit', 'measureUnit'))
         as spelling (old, new)
where case when json_typeof(listed.field) = 'object' then
    (listed.field -> spelling.old) is not null and (listed.field -> spelling.new) is not null
end
order by metadata_id, listed.place, spelling.old;

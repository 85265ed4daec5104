-- stop: a type of identifiers has no code, which version 2.4 requires
-- hint: Give the type a code in identifier_type.
select identifier_type_id, identifier_type_name,
       (select count(*)
        from col.object_identifier
        where object_identifier.identifier_type_id = identifier_type.identifier_type_id
       ) as identifiers
from col.identifier_type
where identifier_type_code is null
order by identifier_type_id;

-- Downgrade from 1.2 to 1.1.

-- Keys of the fields alone: the text is cut into strings (with the colon behind a key), brackets
-- and what is between them; a key of a field stands two brackets deep. A field that already has
-- the old key keeps both.
with token as (
    select metadata_id, place, part,
           sum(case when part = '{' and depth = 2 then 1 else 0 end)
               over (partition by metadata_id order by place) as field,
           case when depth = 2 then substring(part from '^"(.*)"[ \t\r\n]*:$') end as key
    from (select metadata_id, place, found.part[1] as part,
                 sum(case
                         when found.part[1] in ('[', '{') then 1
                         when found.part[1] in (']', '}') then -1
                         else 0
                     end) over (partition by metadata_id order by place) as depth
          from col.metadata,
               regexp_matches(
                   metadata_schema::text,
                   '"(?:[^"\\]|\\.)*"(?:[ \t\r\n]*:)?|[][{}]|[^][{}"]+', 'g'
               ) with ordinality as found (part, place)
          where case when json_typeof(metadata_schema) = 'array' then not exists (
              select 1
              from json_array_elements(metadata_schema) as element
              where json_typeof(element.value) <> 'object'
          ) end) as nested
),
translated as (
    select token.metadata_id,
           string_agg(
               case
                   when spelling.new is null or exists (
                       select 1
                       from token as twin
                       where twin.metadata_id = token.metadata_id
                         and twin.field = token.field
                         and twin.key = spelling.new
                   ) then token.part
                   else replace(token.part, spelling.old, spelling.new)
               end, '' order by token.place
           ) as metadata_schema
    from token
    left join (values ('name', 'nom'), ('required', 'require'), ('measureUnit', 'meusureUnit'))
        as spelling (old, new) on spelling.old = token.key
    group by token.metadata_id
)
update col.metadata
set metadata_schema = translated.metadata_schema::json
from translated
where translated.metadata_id = metadata.metadata_id
  and translated.metadata_schema <> metadata.metadata_schema::text;

alter table col.identifier_type drop column used_for_search;

alter table col.label drop column identifier_only;

drop table col.dbparam;

insert into col.dbversion (dbversion_number, dbversion_date)
select '1.1', '2017-09-01'
where not exists (select 1 from col.dbversion where dbversion_number = '1.1');

delete from col.dbversion where dbversion_number = '1.2';

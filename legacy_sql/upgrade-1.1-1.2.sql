-- Upgrade from 1.1 to 1.2: parameters in the database, keys of metadata in English.

create table col.dbparam (
    dbparam_id    integer not null,
    dbparam_name  varchar not null,
    dbparam_value varchar,
    constraint dbparam_pk primary key (dbparam_id)
);

comment on table col.dbparam is
    'Parameters of the application that are kept in the database.';
comment on column col.dbparam.dbparam_name is
    'Name by which the application reads the parameter.';

insert into col.dbparam (dbparam_id, dbparam_name)
select 1, 'APPLI_code'
where not exists (select 1 from col.dbparam where dbparam_name = 'APPLI_code');

alter table col.label
    add column identifier_only boolean not null default false;

comment on column col.label.identifier_only is
    'The code holds one identifier, not a JSON object of the fields.';

alter table col.identifier_type
    add column used_for_search boolean not null default false;

comment on column col.identifier_type.used_for_search is
    'Objects are looked for by identifiers of this type.';

-- Keys of the fields alone: the text is cut into strings (with the colon behind a key), brackets
-- and what is between them; a key of a field stands two brackets deep. A field that already has
-- the new key keeps both.
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
    left join (values ('nom', 'name'), ('require', 'required'), ('meusureUnit', 'measureUnit'))
        as spelling (old, new) on spelling.old = token.key
    group by token.metadata_id
)
update col.metadata
set metadata_schema = translated.metadata_schema::json
from translated
where translated.metadata_id = metadata.metadata_id
  and translated.metadata_schema <> metadata.metadata_schema::text;

insert into col.dbversion (dbversion_number, dbversion_date) values ('1.2', '2017-10-20');

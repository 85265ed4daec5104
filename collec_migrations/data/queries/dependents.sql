-- What refers to relations and columns, and in its turn to those that do: catalog and oid of each
-- object, what it is, how it is shown, to which of them it refers, and after how many it comes.
-- Parameters: targets, a JSON array of [schema, relation, column or null]; known, one of [schema,
-- relation] of the application's own, whose scripts see to them.
-- What belongs to a whole relation that goes (`a`: its policies, triggers, keys) goes with it.
with recursive target as (
    select c.oid, a.attnum, one ->> 0 as schema, one ->> 1 as relation,
           one ->> 2 as "column"
    from pg_catalog.json_array_elements(%(targets)s::pg_catalog.json) as one
    join pg_catalog.pg_namespace n on n.nspname = one ->> 0
    join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = one ->> 1
    left join pg_catalog.pg_attribute a
      on a.attrelid = c.oid and a.attname = one ->> 2 and not a.attisdropped
    where one ->> 2 is null or a.attnum is not null
), known as (
    select c.oid
    from pg_catalog.json_array_elements(%(known)s::pg_catalog.json) as one
    join pg_catalog.pg_namespace n on n.nspname = one ->> 0
    join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = one ->> 1
), reference as (
    -- A view for its rule, a relation for the type of its rows.
    select case when v.oid is null then d.classid else 'pg_catalog.pg_class'::regclass end
               as classid,
           coalesce(v.oid, d.objid) as objid,
           case when y.oid is null then d.refclassid else 'pg_catalog.pg_class'::regclass end
               as refclassid,
           coalesce(y.typrelid, d.refobjid) as refobjid, d.refobjsubid
    from pg_catalog.pg_depend d
    left join pg_catalog.pg_type y
      on d.refclassid = 'pg_catalog.pg_type'::regclass and y.oid = d.refobjid and y.typrelid <> 0
    left join pg_catalog.pg_rewrite r
      on d.classid = 'pg_catalog.pg_rewrite'::regclass and r.oid = d.objid
    left join pg_catalog.pg_class v on v.oid = r.ev_class and v.relkind in ('v', 'm')
    left join pg_catalog.pg_constraint k
      on d.classid = 'pg_catalog.pg_constraint'::regclass and k.oid = d.objid
    left join pg_catalog.pg_attrdef f
      on d.classid = 'pg_catalog.pg_attrdef'::regclass and f.oid = d.objid
    where (d.refclassid in ('pg_catalog.pg_class'::regclass, 'pg_catalog.pg_proc'::regclass)
           or y.oid is not null)
      and coalesce(v.oid, k.conrelid, 0) not in (select oid from known)
      and coalesce(v.oid, 0) <> d.refobjid
      and case
          when d.classid = 'pg_catalog.pg_constraint'::regclass then k.contype = 'f'
          when d.classid = 'pg_catalog.pg_attrdef'::regclass
              then f.adrelid <> d.refobjid or f.adnum <> d.refobjsubid
          when d.classid = 'pg_catalog.pg_class'::regclass then d.objsubid = 0 and exists (
              select 1 from pg_catalog.pg_inherits i
              where i.inhrelid = d.objid and i.inhparent = d.refobjid)
          else d.deptype = 'n' and d.classid::regclass::text in (
              'pg_rewrite', 'pg_policy', 'pg_trigger', 'pg_proc', 'pg_publication_rel') end
), object as (
    select r.classid, r.objid, t.schema, t.relation, t."column", 1 as place
    from target t
    join reference r
      on r.refclassid = 'pg_catalog.pg_class'::regclass and r.refobjid = t.oid
      and (t.attnum is null or r.refobjsubid = t.attnum)
    where t.attnum is not null or not exists (
        select 1 from pg_catalog.pg_depend own
        where own.classid = r.classid and own.objid = r.objid and own.deptype in ('a', 'i')
          and own.refclassid = 'pg_catalog.pg_class'::regclass and own.refobjid = t.oid
          and r.classid <> 'pg_catalog.pg_class'::regclass)
    union
    select r.classid, r.objid, o.schema, o.relation, o."column", o.place + 1
    from object o
    join reference r on r.refclassid = o.classid and r.refobjid = o.objid
)
select o.classid::regclass::text, o.objid,
       case o.classid::regclass::text
           when 'pg_constraint' then 'foreign key'
           when 'pg_attrdef' then 'generated column'
           when 'pg_publication_rel' then 'publication'
           else i.type end,
       case o.classid::regclass::text
           when 'pg_attrdef' then pg_catalog.substr(i.identity, 5)  -- for ...
           else i.identity end,
       pg_catalog.min(o.schema || '.' || o.relation || coalesce('.' || o."column", '')),
       pg_catalog.max(o.place)
from object o
cross join lateral pg_catalog.pg_identify_object(o.classid, o.objid, 0) i
group by 1, 2, 3, 4
order by 6, 3, 4

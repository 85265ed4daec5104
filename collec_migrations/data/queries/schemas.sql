-- The schemas that hold tables of the application, whatever they are called: how many of the
-- tables that every version has, and which other schemas their views and foreign keys use.
with marker as (
    select c.oid, c.relnamespace, c.relname = any (%(marks_gacl)s) as of_gacl
    from pg_class c
    where c.relname = any (%(marks_both)s) and c.relkind in ('r', 'p')
), space as (
    select n.oid, n.nspname,
           sum(case when m.of_gacl then 1 else 0 end) as of_gacl,
           sum(case when m.of_gacl then 0 else 1 end) as of_col
    from marker m
    join pg_namespace n on n.oid = m.relnamespace
    where n.nspname not like 'pg\_%%' and n.nspname <> 'information_schema'
    group by n.oid, n.nspname
    having count(*) > 3
), linked as (
    select t.relnamespace as user_space, r.relnamespace as used_space
    from pg_constraint k
    join pg_class t on t.oid = k.conrelid
    join pg_class r on r.oid = k.confrelid
    where k.contype = 'f' and t.relnamespace in (select oid from space)
      and r.relnamespace <> t.relnamespace
    union
    select v.relnamespace, r.relnamespace
    from pg_class v
    join pg_rewrite w on w.ev_class = v.oid
    join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = w.oid
    join pg_class r on r.oid = d.refobjid and d.refclassid = 'pg_class'::regclass
    where v.relname = 'aclgroup' and v.relkind = 'v'
      and v.relnamespace in (select oid from space) and r.relnamespace <> v.relnamespace
)
select s.nspname, s.of_gacl, s.of_col,
       array(select u.nspname::text
             from linked l
             join pg_namespace u on u.oid = l.used_space
             where l.user_space = s.oid
             order by u.nspname) as uses
from space s
order by s.nspname

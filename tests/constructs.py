"""Made-up scripts that hold every construct of the application's own, one step after another.

None of them is a script of the application: only the ways of writing are the same.
"""

from itertools import pairwise

_BODIES: dict[str, str] = {
    "a path of one schema; quoted names; sequences in literals": """\
set search_path = col;
CREATE SEQUENCE "crate_id_seq" INCREMENT 1 MINVALUE 1 START 1;
CREATE TABLE "crate" (
    "crate_id" integer NOT NULL DEFAULT nextval('"crate_id_seq"'),
    "name" varchar NOT NULL,
    CONSTRAINT "crate_pk" PRIMARY KEY ("crate_id"));
COMMENT ON TABLE "crate" IS 'a crate of col and gacl';
COMMENT ON COLUMN "crate"."name" IS E'l''étiquette\\n(col.x)';
INSERT INTO "crate" ("name") VALUES ('col'), ('gacl.x'), ('col.crate');
""",
    "a path as a string, without blanks; setval and regclass": """\
set search_path='col';
create sequence shelf_id_seq;
create table shelf (
    shelf_id integer not null default nextval('shelf_id_seq'::regclass) primary key, label varchar);
insert into shelf (shelf_id, label) values (7, 'seven');
select setval('shelf_id_seq', (select max(shelf_id) from shelf));
alter sequence shelf_id_seq owned by shelf.shelf_id;
alter table shelf alter column label set default 'col', alter column shelf_id drop default;
alter table shelf alter column shelf_id set default nextval('col.shelf_id_seq');
""",
    "two paths, a schema each": """\
set search_path = gacl;
alter table aclgroup add column colour varchar;
create table badge (badge_id serial primary key, login varchar);
set search_path =col;
alter table crate add column group_id integer references gacl.badge (badge_id);
create index crate_group_idx on crate using btree (group_id);
""",
    "the path of pgModeler; owners; qualified names everywhere": """\
SET check_function_bodies = false;
SET search_path=public,pg_catalog,gacl,col;
CREATE SEQUENCE col.box_id_seq INCREMENT BY 1 MINVALUE 1 START WITH 1 CACHE 1 OWNED BY NONE;
ALTER SEQUENCE col.box_id_seq OWNER TO collec;
CREATE TABLE col.box (
\tbox_id integer NOT NULL DEFAULT nextval('col.box_id_seq'::regclass),
\tcrate_id integer,
\tname character varying COLLATE pg_catalog."default" NOT NULL,
\tCONSTRAINT box_pk PRIMARY KEY (box_id))
TABLESPACE pg_default;
ALTER TABLE col.box OWNER TO collec;
ALTER SCHEMA gacl OWNER TO collec;
ALTER SCHEMA col OWNER TO collec;
ALTER TABLE col.box ADD CONSTRAINT box_crate_fk FOREIGN KEY (crate_id)
REFERENCES col.crate (crate_id) MATCH FULL ON DELETE NO ACTION ON UPDATE NO ACTION;
COMMENT ON TABLE col.box IS E'boxes';
COMMENT ON COLUMN col.box.name IS E'name of the box';
COMMENT ON CONSTRAINT box_pk ON col.box IS 'key';
ALTER TABLE gacl.badge ALTER COLUMN login TYPE varchar(200);
ALTER TABLE col.box ALTER COLUMN name DROP NOT NULL;
ALTER SEQUENCE col.box_id_seq START 1;
ALTER TABLE gacl.badge ADD CONSTRAINT badge_login_key UNIQUE (login);
ALTER TABLE col.box ADD COLUMN uuid uuid NOT NULL DEFAULT gen_random_uuid();
INSERT INTO col.box (crate_id, name) VALUES (1, E'it''s \\\\ col'), (2, E'gacl');
""",
    "no path at all; subselects right behind a bracket": """\
update col.box set name = name || '!' where crate_id in(select crate_id from col.crate);
create view col.v_box as
    select col.box_id, col.name, c.name as crate
    from(col.box col left join col.crate c using (crate_id));
COMMENT ON VIEW col.v_box IS 'boxes';
ALTER VIEW col.v_box OWNER TO collec;
create or replace view col.v_passing as select v.*, 'col.v_box' as source from col.v_box v;
drop view col.v_passing cascade;
update col.crate set name = replace(name::text, 'col.', '"col".') where name = 'col.none';
select setval('col.box_id_seq', (select max(box_id) from col.box));
alter table col.box add column doc json default '{"a":false, "b":"50%", "c":"%s"}';
""",
    "functions in SQL and PL/pgSQL; dynamic SQL": """\
CREATE FUNCTION col.boxes_of (crate integer) RETURNS SETOF varchar LANGUAGE sql AS $$
    select name from col.box where crate_id = $1 and name <> 'col' $$;
ALTER FUNCTION col.boxes_of(integer) OWNER TO collec;
create or replace function col.count_all() returns bigint language 'plpgsql' as $function$
declare
    found record;
    total bigint := 0;
    one bigint;
begin
    for found in select tablename from pg_tables where schemaname = 'col' and tablename = 'box' loop
        execute format('select count(*) from col.%I', found.tablename) into one;
        total := total + one;
        execute 'select ' || total || ' + count(*) from gacl.badge' into total;
    end loop;
    return total;
end;
$function$;
create function col.drop_indexes() returns integer language plpgsql as $$
declare name text;
begin
    for name in select indexname from pg_indexes
        where schemaname = 'col' and indexname like 'x!_%' escape '!'
    loop execute format('drop index col.%I', name); end loop;
    return 0;
end $$;
select col.drop_indexes();
""",
    "triggers, which write into both schemas": """\
set search_path = col,gacl,public;
create table movement_log (id serial primary key, what text, at timestamp);
create function col.note_box() returns trigger language plpgsql as $$
begin
    insert into col.movement_log (what) values (tg_op || ' col.box');
    update gacl.badge set login = 'col' where false;
    return new;
end $$;
create trigger note_box after insert or update on box for each row execute procedure note_box();
insert into col.box (name) values ('noted');
""",
    "views on views, renamed columns and tables": """\
SET search_path TO pg_catalog,public,col,gacl;
create table col.note (body varchar default 'SELECT label from col.label');
insert into col.note values ('select * from col.x where y like ''%s'' '), (default);
update note set body = 'SELECT ' || body where body like '%col.x%';
set search_path = col,gacl,public;
create view v_crate as select v.crate, count(*) as boxes from v_box v group by v.crate;
create view col.v_full as select * from col.v_crate where boxes > 1;
alter table movement_log rename to box_log;
alter table col.box_log rename column what to event;
alter view v_full rename to v_fuller;
comment on index col.crate_group_idx is 'index';
""",
    "partial and expression indexes, identity columns": """\
set search_path=col;
create table tag (
    tag_id integer generated by default as identity primary key,
    name varchar not null, kind varchar not null default 'col', trashed boolean);
create unique index tag_name_idx on tag (lower(name)) where kind <> 'gacl' and not trashed;
create index tag_kind_idx on col.tag using btree ((kind || 'col'), name desc nulls last);
insert into tag (name) values ('one'), ('two');
""",
    "domains, enums and composite types": """\
create domain col.code as varchar check (value ~ '^[a-z]+$' and value <> 'gacl');
create type col.state as enum ('col', 'open', 'closed');
create type gacl.pair as (one integer, two col.code);
alter table col.tag add column code col.code, add column state col.state default 'col'::col.state;
alter table gacl.badge add column pairs gacl.pair[];
update col.tag set code = 'col', state = 'open'::col.state where tag_id = 1;
""",
    "materialised views and rules of access": """\
create materialized view col.tag_count as select kind, count(*) as n from col.tag group by kind;
create unique index tag_count_idx on col.tag_count (kind);
refresh materialized view col.tag_count;
alter table col.tag enable row level security;
create policy tag_all on col.tag using (kind = 'col' or exists (select 1 from gacl.badge));
grant select on col.tag to public;
grant usage on schema col to public;
revoke all on gacl.badge from public;
""",
    "an extension, twice; operators of it": """\
set search_path = col;
create extension if not exists pg_trgm schema pg_catalog;
create index tag_trgm_idx on tag using gin (name gin_trgm_ops);
create extension if not exists pg_trgm schema public;
create index tag_gist_idx on col.tag using gist (lower(name::text) gist_trgm_ops);
""",
    "blocks, loops and rows that are deleted": """\
do $$
declare n integer;
begin
    select count(*) into n from col.tag;
    if not exists (select 1 from information_schema.columns
                   where table_schema = 'col' and table_name = 'tag' and column_name = 'extra') then
        execute 'alter table col.tag add column extra integer default ' || n;
    end if;
end $$;
delete from col.tag where name = 'two';
insert into gacl.aclappli (appli, applidetail) values ('col2', 'col');
""",
    "things that are dropped": """\
drop view col.v_fuller;
drop function col.drop_indexes();
drop index col.tag_kind_idx;
alter table col.tag drop column extra;
alter table col.box drop constraint box_crate_fk;
drop table if exists col.never_there, col.box_log cascade;
drop trigger if exists note_box on col.box;
""",
    "a last line without an end, and no path": "alter table col.shelf add column note varchar;\n"
    "insert into col.dbversion (dbversion_number, dbversion_date) values ('27.14','2030-01-01')",
    "a comment at the very end": "alter table col.shelf add place varchar; -- of col, gacl; 'x",
}

VERSIONS = ("1.1", *(f"27.{number}" for number in range(len(_BODIES))))
STEPS = tuple(pairwise(VERSIONS))
SCRIPTS = {
    f"col_alter_{old}-{new}.sql": f"-- {title}: col.x, 'gacl'\n{body}"
    for (old, new), (title, body) in zip(STEPS, _BODIES.items(), strict=True)
}
"""One script for each construct, by its file's name; each goes on where the one before ended."""

ROWS = {
    "note": "select body from col.note order by 1",
    "crate": "select name, group_id from col.crate order by crate_id",
    "box": "select name, crate_id from col.box order by box_id",
    "tag": "select name, kind, code, state from col.tag order by tag_id",
    "functions": "select col.count_all()::text || ' ' || "
    "(select string_agg(x, ',') from col.boxes_of(1) x)",
    "views": "select crate, boxes from col.v_crate order by 1 nulls first",
    "materialised": "select * from col.tag_count",
    "comment": "select obj_description('col.crate'::regclass)",
    "rights": "select appli, applidetail from gacl.aclappli order by 1",
}

-- A stand-in for PostGIS's type geography(Point,4326), where PostGIS is not installed.
--
-- It exists so that a catalog that names the type can be built, indexed (gist) and read back on
-- any server. It stores a point, written '(x,y)', and has none of PostGIS's functions.
--
-- A base type needs functions in C; those of the server itself serve: point for the values, and
-- enum_out for the modifier, which shows the label of an enum by its oid. So the modifier is the
-- oid of the label '(Point,4326)'.
create type public.geography_typmod as enum ('(Point,4326)');

create function public.geography_typmod_in(cstring[]) returns integer
language sql stable strict as $$
  select oid::bigint::integer from pg_catalog.pg_enum
  where enumtypid = 'public.geography_typmod'::pg_catalog.regtype
$$;

create function public.geography_typmod_out(integer) returns cstring
language internal stable strict as 'enum_out';

create type public.geography;

create function public.geography_in(cstring, oid, integer) returns public.geography
language internal immutable strict as 'point_in';

create function public.geography_out(public.geography) returns cstring
language internal immutable strict as 'point_out';

create function public.geography_recv(internal, oid, integer) returns public.geography
language internal immutable strict as 'point_recv';

create function public.geography_send(public.geography) returns bytea
language internal immutable strict as 'point_send';

create type public.geography (
  input = public.geography_in,
  output = public.geography_out,
  receive = public.geography_recv,
  send = public.geography_send,
  typmod_in = public.geography_typmod_in,
  typmod_out = public.geography_typmod_out,
  internallength = 16,
  alignment = double
);

create function public.geography_consistent(internal, public.geography, smallint, oid, internal)
returns boolean language internal immutable strict as 'gist_point_consistent';

create function public.geography_compress(internal) returns internal
language internal immutable strict as 'gist_point_compress';

create operator class public.gist_geography_ops default for type public.geography using gist as
  function 1 public.geography_consistent(internal, public.geography, smallint, oid, internal),
  function 2 pg_catalog.gist_box_union(internal, internal),
  function 3 public.geography_compress(internal),
  function 5 pg_catalog.gist_box_penalty(internal, internal, internal),
  function 6 pg_catalog.gist_box_picksplit(internal, internal),
  function 7 pg_catalog.gist_box_same(box, box, internal),
  storage box;

-- What the data schema (col) of version 26.2 has with PostGIS: the position of objects as geography.
--
-- After col_create-26.2.sql. PostGIS must be in a schema of the search path. By hand:
--   psql -v ON_ERROR_STOP=1 -1 -f col_create-26.2-postgis.sql DATABASE

alter table col.object add column geom geography(Point, 4326);

comment on column col.object.geom is
    'Position of the object, from wgs84_x and wgs84_y.';

create index col_object_geom_idx on col.object using gist (geom);

-- Upgrade from 2.3 to 2.4, where PostGIS is: the position of objects as geography.
--
-- After upgrade-2.3-2.4.sql. PostGIS must be in a schema of the search path.

alter table col.object add column geom geography(Point, 4326);

comment on column col.object.geom is
    'Position of the object, from wgs84_x and wgs84_y.';

-- A position that is not on the earth has no geography.
update col.object
set geom = st_setsrid(st_makepoint(wgs84_x, wgs84_y), 4326)::geography
where wgs84_x between -180 and 180
  and wgs84_y between -90 and 90;

create index col_object_geom_idx on col.object using gist (geom);

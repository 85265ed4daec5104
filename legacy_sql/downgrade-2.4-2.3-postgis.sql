-- Downgrade from 2.4 to 2.3, where PostGIS is. Before downgrade-2.4-2.3.sql.

alter table col.object drop column geom;

-- Downgrade from 1.0.6 to 1.0.5.

alter table col.storage rename column storage_location to range;

alter table col.sample drop column dbuid_origin;

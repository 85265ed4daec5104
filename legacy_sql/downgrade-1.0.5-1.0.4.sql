-- Downgrade from 1.0.5 to 1.0.4.

alter table col.sample drop column sampling_place_id;

drop table col.sampling_place;

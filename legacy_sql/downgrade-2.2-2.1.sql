-- Downgrade from 2.2 to 2.1.

delete from col.dbparam
where dbparam_name in ('mapDefaultX', 'mapDefaultY', 'mapDefaultZoom');

alter table col.collection drop column referent_id;

alter table col.object drop column referent_id;

drop table col.referent;

insert into col.dbversion (dbversion_number, dbversion_date)
select '2.1', '2018-07-03'
where not exists (select 1 from col.dbversion where dbversion_number = '2.1');

delete from col.dbversion where dbversion_number = '2.2';

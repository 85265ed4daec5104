-- Downgrade from 2.1 to 2.0.

delete from col.dbparam where dbparam_name = 'APPLI_title';

insert into col.dbversion (dbversion_number, dbversion_date)
select '2.0', '2018-05-04'
where not exists (select 1 from col.dbversion where dbversion_number = '2.0');

delete from col.dbversion where dbversion_number = '2.1';

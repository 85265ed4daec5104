-- Upgrade from 2.0 to 2.1: the title of the application is a parameter.

insert into col.dbparam (dbparam_id, dbparam_name)
select 2, 'APPLI_title'
where not exists (select 1 from col.dbparam where dbparam_name = 'APPLI_title');

insert into col.dbversion (dbversion_number, dbversion_date) values ('2.1', '2018-07-03');

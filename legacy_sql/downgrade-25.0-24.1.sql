-- Downgrade from 25.0 to 24.1.

drop view col.v_sample_parents;

alter table col.subsample drop column createdsample_id;
alter table col.sample_type drop column sample_type_code;
alter table col.container_type drop column nbobject_by_slot;
alter table col.borrowing drop column borrowing_comment;

drop index col.dbparamname_idx;

-- A longer login is cut.
alter table gacl.log alter column login type varchar(32) using login::varchar(32);

alter table gacl.acllogin drop column email;

update gacl.aclgroup set groupe = 'gestion' where groupe = 'manage';
update gacl.aclaco set aco = 'gestion' where aco = 'manage';

insert into col.dbversion (dbversion_number, dbversion_date)
select '24.1', '2024-01-31'
where not exists (select 1 from col.dbversion where dbversion_number = '24.1');

delete from col.dbversion where dbversion_number = '25.0';

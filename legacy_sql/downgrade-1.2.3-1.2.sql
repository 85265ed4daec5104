-- Downgrade from 1.2.3 to 1.2.

drop index col.object_identifier_idx;
drop index col.object_identifier_value_idx;
drop index col.sample_dbuid_origin_idx;

delete from gacl.aclacl
using gacl.aclaco as granted, gacl.aclgroup as holder, gacl.aclappli as application
where granted.aclaco_id = aclacl.aclaco_id
  and granted.aco = 'import'
  and holder.aclgroup_id = aclacl.aclgroup_id
  and holder.groupe = 'import'
  and application.aclappli_id = granted.aclappli_id
  and (application.appli = 'col' or (select count(*) from gacl.aclappli) = 1);

-- A right that another group has as well stays.
delete from gacl.aclaco
using gacl.aclappli as application
where aclaco.aco = 'import'
  and application.aclappli_id = aclaco.aclappli_id
  and (application.appli = 'col' or (select count(*) from gacl.aclappli) = 1)
  and not exists (select 1 from gacl.aclacl where aclacl.aclaco_id = aclaco.aclaco_id);

-- A group that has members, groups below it, other rights or projects stays.
delete from gacl.aclgroup
where groupe = 'import'
  and not exists (
      select 1 from gacl.acllogingroup where acllogingroup.aclgroup_id = aclgroup.aclgroup_id
  )
  and not exists (
      select 1
      from gacl.aclgroup as below
      where below.aclgroup_id_parent = aclgroup.aclgroup_id
  )
  and not exists (select 1 from gacl.aclacl where aclacl.aclgroup_id = aclgroup.aclgroup_id)
  and not exists (
      select 1 from col.project_group where project_group.aclgroup_id = aclgroup.aclgroup_id
  );

insert into col.dbversion (dbversion_number, dbversion_date)
select '1.2', '2017-10-20'
where not exists (select 1 from col.dbversion where dbversion_number = '1.2');

delete from col.dbversion where dbversion_number = '1.2.3';

-- warn: the group import is in use and stays
-- hint: Remove its members, the groups below it, its other rights and its projects, or leave it: version 1.2 does not use it.
select used.aclgroup_id, used.groupe, used.members, used.groups_below, used.other_rights,
       used.projects
from (select aclgroup_id, groupe,
             (select count(*)
              from gacl.acllogingroup
              where acllogingroup.aclgroup_id = aclgroup.aclgroup_id) as members,
             (select count(*)
              from gacl.aclgroup as below
              where below.aclgroup_id_parent = aclgroup.aclgroup_id) as groups_below,
             (select count(*)
              from gacl.aclacl
              join gacl.aclaco using (aclaco_id)
              where aclacl.aclgroup_id = aclgroup.aclgroup_id
                and aclaco.aco <> 'import') as other_rights,
             (select count(*)
              from col.project_group
              where project_group.aclgroup_id = aclgroup.aclgroup_id) as projects
      from gacl.aclgroup
      where groupe = 'import') as used
where used.members + used.groups_below + used.other_rights + used.projects > 0
order by used.aclgroup_id;

-- stop: the right manage becomes gestion, but the same application has a right gestion already
-- hint: Give the groups of one of the two rights to the other one, then delete it or give it another name.
select before.aclaco_id, before.aco, taken.aclaco_id as taken_id, taken.aco as taken_aco,
       before.aclappli_id
from gacl.aclaco as before
join gacl.aclaco as taken on taken.aclappli_id = before.aclappli_id
where before.aco = 'manage' and taken.aco = 'gestion'
order by before.aclaco_id, taken.aclaco_id;

-- stop: the group manage becomes gestion, but there is a group gestion already
-- hint: Move the members and rights of one of the two groups to the other one, then delete it or give it another name.
select before.aclgroup_id, before.groupe, taken.aclgroup_id as taken_id,
       taken.groupe as taken_groupe
from gacl.aclgroup as before, gacl.aclgroup as taken
where before.groupe = 'manage' and taken.groupe = 'gestion'
order by before.aclgroup_id, taken.aclgroup_id;

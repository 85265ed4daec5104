-- stop: a right projet would become a second right collection of the application
-- hint: Rename one of the two rights in aclaco, or move its groups to the other one and delete it.
select before.aclaco_id, before.aco, taken.aclaco_id as taken_id, taken.aco as taken_aco,
       before.aclappli_id
from gacl.aclaco as before
join gacl.aclaco as taken on taken.aclappli_id = before.aclappli_id
where before.aco = 'projet' and taken.aco = 'collection'
order by before.aclaco_id, taken.aclaco_id;

-- stop: a group projet would become a second group collection
-- hint: Rename one of the two groups in aclgroup, or move its members to the other one and delete it.
select before.aclgroup_id, before.groupe, taken.aclgroup_id as taken_id,
       taken.groupe as taken_groupe
from gacl.aclgroup as before, gacl.aclgroup as taken
where before.groupe = 'projet' and taken.groupe = 'collection'
order by before.aclgroup_id, taken.aclgroup_id;

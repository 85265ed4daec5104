-- Upgrade from 1.2 to 1.2.3: the right to import, indexes for searches within identifiers.

-- The id is 6 where it is free; the application asks by name.
insert into gacl.aclaco (aclaco_id, aclappli_id, aco)
select (select min(free.id)
        from generate_series(
            6, (select greatest(6, max(aclaco_id) + 1) from gacl.aclaco)
        ) as free (id)
        where not exists (select 1 from gacl.aclaco where aclaco_id = free.id)),
       aclappli_id,
       'import'
from gacl.aclappli
where (appli = 'col' or (select count(*) from gacl.aclappli) = 1)
  and not exists (
      select 1
      from gacl.aclaco as present
      where present.aclappli_id = aclappli.aclappli_id and present.aco = 'import'
  );

insert into gacl.aclgroup (aclgroup_id, groupe, aclgroup_id_parent)
select coalesce(max(aclgroup_id), 0) + 1,
       'import',
       min(case when groupe = 'gestion' then aclgroup_id end)
from gacl.aclgroup
having count(case when groupe = 'import' then 1 end) = 0;

insert into gacl.aclacl (aclaco_id, aclgroup_id)
select granted.aclaco_id, holder.aclgroup_id
from (select min(aclaco_id) as aclaco_id
      from gacl.aclaco
      join gacl.aclappli using (aclappli_id)
      where aco = 'import'
        and (appli = 'col' or (select count(*) from gacl.aclappli) = 1)) as granted,
     (select min(aclgroup_id) as aclgroup_id
      from gacl.aclgroup
      where groupe = 'import') as holder
where not exists (
    select 1
    from gacl.aclacl as present
    where present.aclaco_id = granted.aclaco_id and present.aclgroup_id = holder.aclgroup_id
);

select setval('gacl.aclaco_aclaco_id_seq', max(aclaco_id))
from gacl.aclaco
having max(aclaco_id) >= (
    select last_value + is_called::int from gacl.aclaco_aclaco_id_seq
);

select setval('gacl.aclgroup_aclgroup_id_seq', max(aclgroup_id))
from gacl.aclgroup
having max(aclgroup_id) >= (
    select last_value + is_called::int from gacl.aclgroup_aclgroup_id_seq
);

-- A site may have made an index of this name by itself.
drop index if exists col.object_identifier_idx;
create index object_identifier_idx on col.object using gin (identifier gin_trgm_ops);

create index object_identifier_value_idx on col.object_identifier
    using gin (object_identifier_value gin_trgm_ops);

create index sample_dbuid_origin_idx on col.sample using gin (dbuid_origin gin_trgm_ops);

insert into col.dbversion (dbversion_number, dbversion_date) values ('1.2.3', '2017-11-22');

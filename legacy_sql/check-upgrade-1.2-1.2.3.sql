-- stop: the row of the application in the table of rights cannot be told from the others
-- hint: Give the application's row, and no other one, the code col in aclappli.appli.
select counted.applications, counted.named_col, aclappli.aclappli_id, aclappli.appli
from (select count(*) as applications,
             count(case when appli = 'col' then 1 end) as named_col
      from gacl.aclappli) as counted
left join gacl.aclappli on true
where counted.applications <> 1 and counted.named_col <> 1
order by aclappli.aclappli_id;

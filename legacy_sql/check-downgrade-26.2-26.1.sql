-- warn: samples of one type have several operations, or some have none: the type will have none
-- hint: Each sample's operation is kept in the archive, and comes back with the next upgrade.
select sample_type_id, sample_type_name,
       count(*) as samples, count(sample.operation_id) as with_operation,
       count(distinct sample.operation_id) as operations
from col.sample
join col.sample_type using (sample_type_id)
group by sample_type_id, sample_type_name
having count(sample.operation_id) > 0
   and (count(distinct sample.operation_id) > 1 or count(sample.operation_id) < count(*))
order by sample_type_id;

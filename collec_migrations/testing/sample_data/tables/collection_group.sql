-- Which team may change the samples of which collection. A query, because a database that was
-- upgraded by hand has no foreign key to the groups.
select %(collection_first)s + n as collection_id,
  %(aclgroup_first)s + mod(n, %(aclgroup_count)s) as aclgroup_id
from made

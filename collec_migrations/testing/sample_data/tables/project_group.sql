-- Which team may change the samples of which project.
select %(project_first)s + n as project_id,
  %(aclgroup_first)s + mod(n, %(aclgroup_count)s) as aclgroup_id
from made

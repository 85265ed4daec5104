-- Which team has which right of the other application.
select %(aclaco_first)s + n as aclaco_id,
  %(aclgroup_first)s + mod(n, %(aclgroup_count)s) as aclgroup_id
from made

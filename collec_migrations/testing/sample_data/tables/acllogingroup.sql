-- Each person belongs to one team.
select %(acllogin_first)s + n as acllogin_id,
  %(aclgroup_first)s + mod(n, %(aclgroup_count)s) as aclgroup_id
from made

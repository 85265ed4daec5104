-- Groups of users: teams of the laboratory, two of them parts of another.
select id as aclgroup_id,
  (array['plankton', 'rivers', 'lakes', 'archives', 'visitors', 'sediment'])[1 + mod(n, 6)]
    || '_' || id as groupe,
  case when n in (1, 2) then id - n end as aclgroup_id_parent
from made

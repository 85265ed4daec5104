-- Rights of the other application.
select id as aclaco_id, %(aclappli_first)s as aclappli_id,
  (array['admin', 'read'])[1 + mod(n, 2)] as aco
from made

-- Codes of the labels: the fields of the label as JSON, or one identifier.
select id as label_optical_id, %(label_first)s + mod(n, %(label_count)s) as label_id,
  1 + mod(n, 2) as content_type,
  case when mod(n, 2) = 1 then 'https://samples.laboratory.example/' end as radical,
  case when mod(n, 2) = 0 then 'uid,id,clp,db' else 'uuid' end as optical_content
from made

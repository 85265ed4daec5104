-- Protocols, most of them with their text.
select id as protocol_id, 'Sampling protocol ' || id as protocol_name,
  case when mod(n, 4) > 0
    then convert_to('%%PDF-1.4' || chr(10), 'UTF8')
      || decode(repeat(md5(a::text), 60), 'hex') || convert_to('%%%%EOF', 'UTF8') end
    as protocol_file,
  case when mod(n, 5) > 0 then 2008 + mod(a, 9) end as protocol_year,
  'v' || 1 + mod(n, 3) || '.0' as protocol_version,
  case when mod(n, 2) = 0 then %(project_first)s + mod(n, %(project_count)s) end as project_id
from made

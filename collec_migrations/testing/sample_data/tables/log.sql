-- Who asked for which page.
select id as log_id, 'user' || %(acllogin_first)s + mod(a, %(acllogin_count)s) as login,
  (array['objectDisplay', 'sampleChange', 'storagesampleInput', 'connexion', 'labelPrint'])
    [1 + mod(b, 5)] as nom_module,
  timestamp '2016-10-03 08:00' + n * interval '3 minutes' as log_date,
  case when mod(c, 4) > 0 then (array['ok', 'ko', 'db-ok', 'ident-ok'])[1 + mod(c, 4)] end
    as commentaire,
  case when mod(c, 9) = 0 then '2001:db8::' || to_hex(mod(d, 65536))
    else '192.0.2.' || mod(d, 255) end as ipaddress
from made

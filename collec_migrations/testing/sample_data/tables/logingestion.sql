-- Local accounts that nobody can log in with: no password has this checksum.
select id, 'user' || %(acllogin_first)s + n as login, md5(a::text) || md5(b::text) as password,
  (array['Le Gall', 'Petit', 'Martin', 'N''Diaye', 'Roux', 'Noël', 'Bœuf', 'Ørsted'])
    [1 + mod(n, 8)] as nom,
  (array['Anne', 'Bruno', 'Chloé', 'David', 'Élise', 'François', 'Gaëlle', null])
    [1 + mod(n, 8)] as prenom,
  case when mod(n, 3) > 0 then 'user' || id || '@laboratory.example' end as mail,
  case when mod(n, 4) > 0 then date '2016-01-04' + mod(a, 600) end as datemodif,
  case when mod(n, 5) = 4 then 0 else 1 end as actif
from made

-- Who may be given rights; the login is that of an account in logingestion.
select id as acllogin_id, 'user' || id as login,
  (array['Anne Le Gall', 'Bruno Petit', 'Chloé Martin', 'David N''Diaye', 'Élise Roux',
    'François Noël', 'Gaëlle Bœuf', 'Hugo Ørsted'])[1 + mod(n, 8)] as logindetail,
  'user' || id || '@laboratory.example' as email
from made

-- Checksums of earlier passwords.
select id as login_oldpassword_id,
  %(logingestion_first)s + mod(n, %(logingestion_count)s) as id,
  md5(a::text) || md5(b::text) as password
from made

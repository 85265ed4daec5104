-- Tokens sent to those who lost their password; half of them were used.
select id as passwordlost_id,
  %(logingestion_first)s + mod(n, %(logingestion_count)s) as id,
  md5(a::text) || md5(b::text) || id as token,
  timestamp '2017-09-04 08:00' + mod(a, 300) * interval '1 hour' as expiration,
  case when mod(n, 2) = 0
    then timestamp '2017-09-04 07:00' + mod(a, 300) * interval '1 hour' end as usedate
from made

-- What was taken from a sample, or put back.
select id as subsample_id, %(sample_first)s + mod(a, %(sample_count)s) as sample_id,
  timestamp '2016-11-07 10:00' + n * interval '17 minutes' as subsample_date,
  case when mod(b, 6) = 0 then 1 else 2 end as movement_type_id,
  case when mod(c, 9) > 0 then mod(c, 80) / 8.0 end as subsample_quantity,
  case when mod(c, 4) = 0 then 'for the analysis of ' || mod(d, 12) || ' isotopes' end
    as subsample_comment,
  'user' || %(acllogin_first)s + mod(d, %(acllogin_count)s) as subsample_login
from made

-- Samples; every fifth was taken from an earlier one.
select id as sample_id, %(object_first)s + %(container_count)s + n as uid,
  %(collection_first)s + mod(a, %(collection_count)s) as collection_id,
  %(sample_type_first)s + mod(b, %(sample_type_count)s) as sample_type_id,
  timestamp '2015-01-05 08:00' + n * interval '11 minutes' as sample_creation_date,
  case when mod(c, 7) > 0
    then timestamp '2014-12-01 00:00' + n * interval '11 minutes' + mod(c, 1000) * interval '1 hour'
    end as sampling_date,
  case when mod(n, 5) = 4 then %(sample_first)s + mod(d, n) end as parent_sample_id,
  case when mod(b, 3) > 0 then mod(d, 4000) / 16.0 end as multiple_value,
  case when mod(d, 3) > 0
    then %(sampling_place_first)s + mod(d, %(sampling_place_count)s) end as sampling_place_id,
  case when mod(n, 11) = 3 then 'other:' || mod(c, 100000) end as dbuid_origin,
  case when mod(c, 3) > 0
    then '{"taxon":"Alosa alosa","weight":' || (mod(c, 9000) / 8.0)::real || ',"note":"n° '
      || mod(d, 1000) || '"}' end as metadata
from made

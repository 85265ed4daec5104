-- Attributes of the sets, up to 1.0.8.
select id as metadata_attribute_id,
  %(metadata_set_first)s + mod(n, %(metadata_set_count)s) as metadata_set_id,
  case when mod(n, 3) > 0
    then %(metadata_schema_first)s + mod(a, %(metadata_schema_count)s) end as metadata_schema_id,
  (array['Taxon', 'Length', 'Weight', 'Sex', 'Depth', 'pH'])[1 + mod(n, 6)] || ' ' || id
    as metadata_name,
  case when mod(n, 4) > 0 then 'attribute_' || id end as metadata_code,
  (array['varchar', 'number', 'enum'])[1 + mod(b, 3)] as metadata_type,
  1 + n / %(metadata_set_count)s as metadata_order,
  case when mod(b, 3) = 2 then 'male;female;unknown' end as metadata_enum,
  case when mod(c, 3) = 0 then '' when mod(c, 3) = 1 then 'unknown' end as metadata_defaultvalue,
  case when mod(b, 3) = 1 then 'mm' end as metadata_measure_unit,
  mod(c, 5) = 0 as metadata_multivalue
from made

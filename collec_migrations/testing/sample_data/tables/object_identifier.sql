-- Identifiers that other systems gave to the samples.
select id as object_identifier_id, %(object_first)s + mod(a, %(object_count)s) as uid,
  %(identifier_type_first)s + mod(b, %(identifier_type_count)s) as identifier_type_id,
  to_hex(c) || '-' || n as object_identifier_value
from made

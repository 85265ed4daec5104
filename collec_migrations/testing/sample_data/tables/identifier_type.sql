-- Identifiers that other systems give.
select id as identifier_type_id,
  (array['Barcode of the supplier', 'IGSN', 'Field number'])[1 + mod(n, 3)] || ' #' || id
    as identifier_type_name,
  (array['BAR', 'IGSN', 'FLD'])[1 + mod(n, 3)] || id as identifier_type_code
from made

-- Identifiers that other systems give. All have a code: without one there is no way back to 2.4.
select id as identifier_type_id,
  (array['Barcode of the supplier', 'IGSN', 'Field number'])[1 + mod(n, 3)] || ' #' || id
    as identifier_type_name,
  (array['BAR', 'IGSN', 'FLD'])[1 + mod(n, 3)] || id as identifier_type_code
from made

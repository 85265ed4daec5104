-- Why a sample leaves its place.
select id as storage_reason_id,
  (array['Analysis', 'Loan', 'Inventory', 'Freezer "A" defrosted'])[1 + mod(n, 4)]
    || ' #' || id as storage_reason_name
from made

-- Why a sample leaves its place.
select id as movement_reason_id,
  (array['Analysis', 'Loan', 'Inventory', 'Freezer "A" defrosted'])[1 + mod(n, 4)]
    || ' #' || id as movement_reason_name
from made

-- Authorizations. No pair comes twice: with such a one there is no way back to 2.4.
select id as campaign_regulation_id, %(campaign_first)s + mod(n, %(campaign_count)s) as campaign_id,
  %(regulation_first)s + mod(n, %(regulation_count)s) as regulation_id
from made

-- Saved queries, with the first word that versions before 2.7 put in front by themselves.
select 'select uid, identifier from object where uid > ' || n as body
from made

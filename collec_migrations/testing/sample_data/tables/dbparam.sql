-- Parameters of the site's own; the application's have small ids, fixed ones until 2.5.
select 1000 + id as dbparam_id, 'site_parameter_' || id as dbparam_name, 'on' as dbparam_value
from made

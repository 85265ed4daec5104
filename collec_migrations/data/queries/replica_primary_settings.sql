-- The settings of these names, in their own units; pending_restart is not known before 9.5.
select name,
    setting,
    coalesce(unit, ''),
    context = 'postmaster',
    coalesce((row_to_json(s)->>'pending_restart')::boolean, false)
from pg_settings s
where name = any (%s) and setting is not null

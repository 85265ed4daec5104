-- Settings by name, in their own units; those that this role may not see are left out.
select name, setting from pg_settings where name = any (%s) and setting is not null

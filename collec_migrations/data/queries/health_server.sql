-- what a server says of itself; `pending_restart` came with 9.5, and is null by this road before
select
    current_setting('server_version'),
    pg_is_in_recovery(),
    array(
        select s.name::text from pg_settings s
        where (row_to_json(s) ->> 'pending_restart')::boolean order by 1
    )

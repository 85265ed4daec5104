-- The server and the role that is connected: what an installation needs to know beforehand.
select current_user::text,
       (select rolsuper from pg_catalog.pg_roles where rolname = current_user),
       pg_catalog.pg_is_in_recovery(),
       current_setting('default_transaction_read_only') = 'on',
       (select pg_catalog.pg_encoding_to_char(encoding) || ' ' || datctype
        from pg_catalog.pg_database where datname = 'template0'),
       current_setting('port'),
       -- Not by current_setting, which fails for a role that may not know.
       (select setting from pg_catalog.pg_settings where name = 'unix_socket_directories'),
       (select setting from pg_catalog.pg_settings where name = 'listen_addresses'),
       array(select datname::text from pg_catalog.pg_database where datallowconn order by 1)

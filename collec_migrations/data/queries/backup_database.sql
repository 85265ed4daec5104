-- what a database is apart from its contents: pg_dump keeps it, but only `--create` brings it back
select
    d.datname,
    pg_encoding_to_char(d.encoding),
    pg_database_size(d.oid),
    current_setting('server_version'),
    pg_get_userbyid(d.datdba),
    shobj_description(d.oid, 'pg_database'),
    has_table_privilege('pg_authid', 'select'),
    array(select extname::text from pg_extension where extname <> 'plpgsql' order by 1),
    (select count(*) from pg_largeobject_metadata),
    pg_relation_size('pg_largeobject'),
    -- `name=value` for all roles (empty) or for one
    array(
        select array[coalesce(pg_get_userbyid(nullif(s.setrole, 0)), ''), setting]
        from pg_db_role_setting s, unnest(s.setconfig) setting
        where s.setdatabase = d.oid order by 1
    ),
    -- null: the rights that every new database has
    case when d.datacl is not null then array(
        select array[case g.grantee when 0 then '' else pg_get_userbyid(g.grantee) end,
                     g.privilege_type, g.is_grantable::text]
        from aclexplode(d.datacl) g order by 1
    ) end,
    d.datcollate,
    d.datctype,
    -- grows as long as the server lives, whatever its clock says
    txid_snapshot_xmax(txid_current_snapshot()),
    coalesce(host(inet_server_addr()), ''),
    coalesce(inet_server_port(), current_setting('port')::integer),
    -- none before 9.5
    coalesce((select setting from pg_settings where name = 'cluster_name'), '')
from pg_database d
where d.datname = current_database()

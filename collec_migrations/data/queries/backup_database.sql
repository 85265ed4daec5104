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
    -- (json: 9.4 knows no array of arrays from a query)
    (
        select coalesce(json_agg(json_build_array(role, setting) order by role, setting), '[]')
        from (
            select coalesce(pg_get_userbyid(nullif(s.setrole, 0)), '') as role, setting
            from pg_db_role_setting s, unnest(s.setconfig) setting
            where s.setdatabase = d.oid
        ) given
    ),
    -- null: the rights that every new database has
    case when d.datacl is not null then (
        select coalesce(json_agg(json_build_array(role, privilege_type, is_grantable::text)
                                 order by role, privilege_type), '[]')
        from (
            select case g.grantee when 0 then '' else pg_get_userbyid(g.grantee) end as role,
                g.privilege_type, g.is_grantable
            from aclexplode(d.datacl) g
        ) granted
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

-- Of roles by name: may they log in, replicate, and read what pg_rewind reads.
select rolname::text,
    rolcanlogin,
    rolreplication,
    rolsuper
    or (
        select bool_and(coalesce(has_function_privilege(rolname, function, 'execute'), true))
        from (
            values (to_regprocedure('pg_catalog.pg_ls_dir(text, boolean, boolean)')),
                (to_regprocedure('pg_catalog.pg_stat_file(text, boolean)')),
                (to_regprocedure('pg_catalog.pg_read_binary_file(text)')),
                (to_regprocedure('pg_catalog.pg_read_binary_file(text, bigint, bigint, boolean)'))
        ) as needed (function)
    )
from pg_roles
where rolname = any (%s)

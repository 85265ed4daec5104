-- A database: its owner, encoding, and whether it lets anybody in. Parameter: database.
select pg_catalog.pg_get_userbyid(datdba)::text, pg_catalog.pg_encoding_to_char(encoding)::text,
       datallowconn, datistemplate, datconnlimit
from pg_catalog.pg_database where datname = %(database)s

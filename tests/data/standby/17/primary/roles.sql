create role "rep" with login replication;
create role "rewind" with login;
alter role "rep" with password 'SCRAM';
alter role "rewind" with password 'SCRAM';
grant execute on function pg_catalog.pg_ls_dir(text, boolean, boolean) to "rewind";
grant execute on function pg_catalog.pg_stat_file(text, boolean) to "rewind";
grant execute on function pg_catalog.pg_read_binary_file(text) to "rewind";
grant execute on function pg_catalog.pg_read_binary_file(text, bigint, bigint, boolean) to "rewind";

-- The tool's own record of what was done to a schema, beside Alembic's version table.
create table if not exists {schema}.migration_history (
    migration_history_id serial,
    version varchar(32),
    kind varchar not null,
    script varchar not null,
    checksum varchar not null,
    tool_version varchar not null,
    database_user varchar not null default session_user,
    client varchar not null,
    started timestamp with time zone not null,
    duration interval not null,
    note varchar not null default '',
    constraint migration_history_pkey primary key (migration_history_id)
);
comment on table {schema}.migration_history is
    'What collec-migrations did to this schema: one row for each version applied, adopted or left';
comment on column {schema}.migration_history.version is
    'Version of the schema after this step; null: nothing is installed any more';
comment on column {schema}.migration_history.kind is
    'applied (by a script), adopted (repaired, as it was found), stamped (by Alembic) or downgraded';
comment on column {schema}.migration_history.checksum is
    'SHA-256 of the scripts, without byte-order mark and with line feeds only';
comment on column {schema}.migration_history.client is
    'Account and host where the tool ran';
comment on column {schema}.migration_history.note is
    'Remarks, such as a version that was forced';

"""Structures of the field: other names, types and owners, and things that are missing."""

from psycopg2 import extensions

from collec_migrations.names import Names
from tests.builders.variants.statements import STRANGER, create_stranger, run


def projet_group(connection: extensions.connection, names: Names) -> None:
    """Name `project_group`, its key and its foreign key as releases 1.0 to 1.0.2 did."""
    run(
        connection,
        names,
        "alter table {col}.project_group rename constraint project_group_pk to projet_group_pk",
        "alter table {col}.project_group rename constraint project_project_group_fk"
        " to project_projet_group_fk",
        "alter table {col}.project_group rename to projet_group",
    )


def json_sample_metadata(connection: extensions.connection, names: Names) -> None:
    """Make `sample_metadata.data` json, as the installer of 1.0.8 did; texts stay as they are."""
    run(
        connection,
        names,
        "alter table {col}.sample_metadata alter column data type json using data::text::json",
    )


def other_owners(connection: extensions.connection, names: Names) -> None:
    """Give some tables, a view and a sequence to another role, which ran a script by hand."""
    create_stranger(connection)
    run(
        connection,
        names,
        f"grant create, usage on schema {{col}} to {STRANGER}",
        f"alter table {{col}}.sample owner to {STRANGER}",
        f"alter table {{gacl}}.log owner to {STRANGER}",
        f"alter view {{col}}.last_photo owner to {STRANGER}",
    )


def upgraded_by_hand(connection: extensions.connection, names: Names) -> None:
    """Make a fresh 1.1 what psql made of a 1.0.8: old table, old name, no key to the groups."""
    create_stranger(connection)
    run(
        connection,
        names,
        "alter table {col}.project_group drop constraint aclgroup_projet_group_fk",
        "alter table {col}.project_group rename constraint project_projet_group_fk"
        " to project_project_group_fk",
        "create table {col}.sample_metadata (sample_id integer not null, data jsonb not null,"
        " constraint sample_metadata_pk primary key (sample_id),"
        " constraint sample_sample_metadata_fk foreign key (sample_id)"
        " references {col}.sample (sample_id))",
        "insert into {col}.sample_metadata"
        """ select sample_id, '{{"taxon": "Alosa alosa"}}' from {col}.sample""",
        f"grant create, usage on schema {{gacl}} to {STRANGER}",
        f"alter table {{gacl}}.passwordlost owner to {STRANGER}",
    )


def no_sample_metadata(connection: extensions.connection, names: Names) -> None:
    """Drop `sample_metadata`, as sites did that never used it."""
    run(connection, names, "drop table {col}.sample_metadata")


def frozen_default(connection: extensions.connection, names: Names) -> None:
    """Freeze the default of `object.change_date`: the original script quoted `now()`."""
    run(
        connection,
        names,
        "alter table {col}.object alter column change_date"
        " set default '2021-06-01 12:00:00'::timestamp without time zone",
    )


def missing_index(connection: extensions.connection, names: Names) -> None:
    """Drop an index."""
    run(connection, names, "drop index {gacl}.log_date_idx")


def missing_column(connection: extensions.connection, names: Names) -> None:
    """Drop a column that a failed statement might never have added."""
    run(connection, names, "alter table {col}.storage drop column storage_location")

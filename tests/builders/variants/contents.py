"""Contents of the field: rights, orphans, sequences and versions that are not as they should."""

from psycopg2 import extensions

from collec_migrations.names import Names
from tests.builders.variants.statements import run


def rights_of_1_0(connection: extensions.connection, names: Names) -> None:
    """Leave the one right that releases 1.0 to 1.0.2 filled in: `admin` of `appli`."""
    run(
        connection,
        names,
        "delete from {gacl}.aclacl where (aclaco_id, aclgroup_id) <> (1, 1)",
        "delete from {gacl}.aclaco where aclaco_id <> 1",
        "delete from {gacl}.aclappli where aclappli_id <> 1",
        "update {gacl}.aclappli set appli = 'appli', applidetail = null",
        "update {gacl}.aclaco set aco = 'admin'",
    )


def orphan_groups(connection: extensions.connection, names: Names) -> None:
    """Give a project to groups that do not exist: no foreign key forbade it."""
    run(
        connection,
        names,
        "alter table {col}.project_group drop constraint if exists aclgroup_projet_group_fk",
        "insert into {col}.project (project_name) values ('Left by a group that was deleted')",
        "insert into {col}.project_group (project_id, aclgroup_id)"
        " select max(project_id), 900001 from {col}.project"
        " union all select max(project_id), 900002 from {col}.project",
    )


def sequences_behind(connection: extensions.connection, names: Names) -> None:
    """Leave two sequences at their start, as the installers did: the next row added fails."""
    run(
        connection,
        names,
        "select setval(pg_get_serial_sequence({mime_type}, 'mime_type_id'), 1, false)",
        "select setval(pg_get_serial_sequence({movement_type}, 'movement_type_id'), 1, false)",
    )


def recorded_never_existed(connection: extensions.connection, names: Names) -> None:
    """Record 25.1, a version that never existed, and nothing else."""
    _recorded(connection, names, ("25.1", "2025-01-01"))


def recorded_before(connection: extensions.connection, names: Names) -> None:
    """Record the version before, as release 2.7.0 does."""
    _recorded(connection, names, ("1.0.6", "2017-03-01"))


def recorded_twice(connection: extensions.connection, names: Names) -> None:
    """Record two versions, the newer one by date with the lower id."""
    _recorded(connection, names, ("1.1", "2017-09-01"), ("1.0.8", "2017-06-02"))


def recorded_nothing(connection: extensions.connection, names: Names) -> None:
    """Record nothing, as the installers of 2.3 that failed half-way."""
    _recorded(connection, names)


def missing_constraint(connection: extensions.connection, names: Names) -> None:
    """Drop a foreign key, and let in a row that it would have kept out."""
    run(
        connection,
        names,
        "alter table {col}.object_identifier drop constraint object_object_identifier_fk",
        "insert into {col}.identifier_type (identifier_type_name, identifier_type_code)"
        " values ('Orphan', 'ORPHAN')",
        "insert into {col}.object_identifier (uid, identifier_type_id, object_identifier_value)"
        " select 900003, max(identifier_type_id), 'orphan' from {col}.identifier_type",
    )


def _recorded(connection: extensions.connection, names: Names, *rows: tuple[str, str]) -> None:
    """Leave just these rows (number, date) in `dbversion`."""
    run(connection, names, "delete from {col}.dbversion")
    for number, date in rows:
        run(
            connection,
            names,
            "insert into {col}.dbversion (dbversion_number, dbversion_date)"
            f" values ('{number}', '{date}')",
        )

"""`--sql`: psql runs the script of a downgrade to the catalog and rows of the online run."""

import pytest

from collec_migrations.catalog import compare
from collec_migrations.names import Names
from collec_migrations.postgres.address import Address
from collec_migrations.testing import sample_data
from tests import chain
from tests.builders import rows
from tests.conftest import Clone
from tests.servers import PsqlError, Server

AWKWARD = Names(gacl="the %rights", col='it\'s "mine"')


def script(*words: str) -> str:
    written = chain.alembic(*words, "--sql", url="postgresql://nobody@localhost:1/none")
    assert written.returncode == 0, written.stderr
    return written.stdout


def run_script(server: Server, text: str, dbname: str) -> None:
    """Let psql run a script that opens its own transaction."""
    body = text.replace("\nBEGIN;\n", "\n").replace("\nCOMMIT;\n", "\n")
    assert body.count("\n") == text.count("\n") - 2
    server.psql(body, dbname)


def everything(address: Address, names: Names) -> dict[str, dict[str, list[str]]]:
    with chain.connected(address) as connection:
        found = {
            schema: rows.dump_rows(connection, schema) for schema in names.by_default_name.values()
        }
    for tables in found.values():
        tables.pop("migration_history", None)
        tables.pop("collec_archive", None)  # it holds the moment of each step
    return found


def filled(server: Server, version: str) -> str:
    def build(address: Address) -> None:
        with chain.connected(address) as connection:
            sample_data.fill(connection, chain.DEFAULT, movements=50)
            connection.commit()

    return server.template(f"script_{version}", build, chain.template_at(server, version))


@pytest.mark.parametrize(("new", "old"), [(chain.HEAD, "1.0"), ("2.4", "1.1"), ("1.1", "1.0.8")])
def test_psql_arrives_where_the_run_does(
    server18: Server, clone: Clone, new: str, old: str
) -> None:
    online, offline = clone(filled(server18, new)), clone(filled(server18, new))
    chain.downgrade(online, old)
    run_script(server18, script("downgrade", f"{new}:{old}"), offline.dbname)
    assert not compare(expected=chain.known(old), observed=chain.catalog(offline))
    one, other = everything(online, chain.DEFAULT), everything(offline, chain.DEFAULT)
    for schema, tables in one.items():
        assert not rows.difference(tables, other[schema])
    told = "select version, kind, script, checksum from {}.migration_history order by 1, 2"
    for schema in ("gacl", "col"):
        query = told.format(schema)
        assert chain.query(online, query) == chain.query(offline, query)


def test_psql_arrives_under_awkward_names(server18: Server, database: Address) -> None:
    options = chain.under(AWKWARD)
    chain.upgrade(database, **options)
    with chain.connected(database) as connection:
        sample_data.fill(connection, AWKWARD, movements=20)
        connection.commit()
    words = ("-x", f"gacl={options['gacl']}", "-x", f"col={options['col']}")
    run_script(server18, script(*words, "downgrade", f"{chain.HEAD}:1.0"), database.dbname)
    assert not compare(expected=chain.known("1.0"), observed=chain.catalog(database, AWKWARD))


def test_the_script_to_base_carries_the_guard(server18: Server, clone: Clone) -> None:
    address = clone(chain.template_at(server18, chain.HEAD))
    chain.execute(address, "insert into col.collection (collection_name) values ('Mine')")
    with pytest.raises(PsqlError, match=r"rows that users entered: col\.collection \(1\)"):
        run_script(server18, script("downgrade", f"{chain.HEAD}:base"), address.dbname)
    assert not compare(expected=chain.known(chain.HEAD), observed=chain.catalog(address))
    chain.execute(address, "delete from col.collection")
    run_script(server18, script("downgrade", f"{chain.HEAD}:base"), address.dbname)
    assert chain.query(address, "select to_regclass('col.sample')") == [(None,)]


def test_the_script_refuses_to_take_the_rights_from_others(
    server18: Server, database: Address
) -> None:
    both = {"col": "lab_a,lab_b"}
    chain.upgrade(database, **both)
    alone = script("-x", "col=lab_a", "downgrade", f"{chain.HEAD}:26.0")
    with pytest.raises(PsqlError, match="other data schemas use the rights schema: lab_b"):
        run_script(server18, alone, database.dbname)
    run_script(
        server18,
        script("-x", "col=lab_a,lab_b", "downgrade", f"{chain.HEAD}:26.0"),
        database.dbname,
    )
    for col in ("lab_a", "lab_b"):
        observed = chain.catalog(database, Names(col=col))
        assert not compare(expected=chain.known("26.0"), observed=observed)

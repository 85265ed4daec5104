"""Several data schemas beside one rights schema, each at its own version."""

from subprocess import CompletedProcess

import pytest

from collec_migrations.bridge import history
from collec_migrations.catalog import compare
from collec_migrations.errors import MigrationError
from collec_migrations.names import Names
from collec_migrations.postgres.address import Address
from collec_migrations.testing import sample_data
from tests import chain
from tests.builders import filled, rows
from tests.chain import alembic
from tests.conftest import Clone
from tests.servers import Server

BOTH = {"col": "lab_a,lab_b"}
AWKWARD = ("a, b", 'l"ab', "100%", "L'été")


def versions(address: Address, schema: str) -> list[object]:
    """Return the versions in the history of a schema, in their order."""
    past = f'select version from "{schema}".migration_history order by migration_history_id'
    return [row[0] for row in chain.query(address, past)]


def at_head(address: Address, col: str) -> bool:
    """Return whether a pair has the catalog of the newest version."""
    found = chain.catalog(address, Names(col=col))
    return not compare(expected=chain.known(chain.HEAD), observed=found)


@pytest.fixture
def uneven(server18: Server, clone: Clone) -> Address:
    """Return a database with lab_a at 1.0.5 and lab_b at 1.0.8 beside one rights schema."""

    def build(address: Address) -> None:
        chain.upgrade(address, "1.0.5", col="lab_a")
        chain.upgrade(address, "1.0.8", col="lab_b")

    return clone(server18.template("uneven", build))


@pytest.mark.parametrize("transaction", ["per-run", "per-version"])
def test_schemas_at_different_versions_reach_the_same(uneven: Address, transaction: str) -> None:
    chain.upgrade(uneven, **BOTH, transaction=transaction)
    assert at_head(uneven, "lab_a")
    assert at_head(uneven, "lab_b")
    assert versions(uneven, "lab_a")[-4:] == list(chain.VERSIONS[-4:])
    assert versions(uneven, "lab_b")[-2:] == list(chain.VERSIONS[-2:])


def test_the_rights_schema_is_stepped_once(uneven: Address) -> None:
    chain.upgrade(uneven, **BOTH)
    assert versions(uneven, "gacl") == list(chain.VERSIONS)


def test_a_fresh_pair_shows_the_password_once(database: Address) -> None:
    said = chain.upgrade(database, **BOTH)
    assert len([line for line in said if "with the password" in line]) == 1
    assert versions(database, "gacl") == [chain.HEAD]
    assert at_head(database, "lab_a")
    assert at_head(database, "lab_b")
    assert chain.upgrade(database, **BOTH) == []


@pytest.mark.parametrize(("older", "stays"), [(chain.HEAD, True), ("1.0.8", False), ("1.0", False)])
def test_a_schema_that_joins_later_steps_the_rights_up(
    database: Address, older: str, stays: bool
) -> None:
    chain.upgrade(database, older, col="lab_a")
    with chain.connected(database) as connection:
        before = rows.dump_rows(connection, "lab_a"), rows.dump_rows(connection, "gacl")
    said = chain.upgrade(database, col="lab_c")
    assert at_head(database, "lab_c")
    assert not any("password" in line for line in said)
    with chain.connected(database) as connection:
        assert rows.dump_rows(connection, "lab_a") == before[0]
        assert (rows.dump_rows(connection, "gacl") == before[1]) == stays
    chain.upgrade(database, col="lab_a")
    assert at_head(database, "lab_a")
    assert versions(database, "gacl")[-1] == chain.HEAD


def test_an_older_schema_can_join_newer_rights(database: Address) -> None:
    chain.upgrade(database, col="lab_a")
    chain.upgrade(database, "1.0.8", col="lab_c")
    assert versions(database, "gacl") == [chain.HEAD]
    chain.upgrade(database, col="lab_c")
    assert at_head(database, "lab_c")


def test_a_failure_in_the_second_leaves_the_first_as_it_was(uneven: Address) -> None:
    chain.execute(uneven, "create view lab_b.metadata as select 1 as one")
    before = chain.catalog(uneven, Names(col="lab_a")), versions(uneven, "lab_a")
    with pytest.raises(MigrationError, match="nothing was applied"):
        chain.upgrade(uneven, **BOTH)
    assert (chain.catalog(uneven, Names(col="lab_a")), versions(uneven, "lab_a")) == before
    assert versions(uneven, "gacl")[-1] == "1.0.8"


def test_per_version_a_failure_in_the_second_keeps_the_first(uneven: Address) -> None:
    chain.execute(uneven, "create view lab_b.metadata as select 1 as one")
    with pytest.raises(MigrationError, match="those before it are committed"):
        chain.upgrade(uneven, **BOTH, transaction="per-version")
    assert at_head(uneven, "lab_a")
    assert versions(uneven, "lab_b")[-1] == "1.0.8"
    assert versions(uneven, "gacl")[-1] == chain.HEAD


def test_alembic_shows_and_steps_each_schema(uneven: Address) -> None:
    def told(*words: str) -> CompletedProcess[str]:
        return alembic(*words, url=uneven.url, COLLEC_COL_SCHEMA="lab_a, lab_b")

    assert told("current").stdout.split() == [
        *("lab_a:", "1.0.5"),
        *("lab_b:", "1.0.8"),
    ]
    stepped = told("upgrade", "+1")
    assert stepped.returncode == 0, stepped.stdout
    shown = told("current").stdout
    assert shown.split() == ["lab_a:", "1.0.6", "lab_b:", "1.1"]
    marked = told("history", "--indicate-current")
    assert marked.returncode == 0
    assert "1.0.6 -> 1.0.8" in marked.stdout
    assert told("upgrade", "head").returncode == 0
    assert at_head(uneven, "lab_a")


@pytest.mark.parametrize(
    ("newer", "order"), [("1.0.8", ("lab_a", "lab_b")), ("1.1", ("lab_b", "lab_a"))]
)
def test_stamp_adopts_schemas_without_history(
    uneven: Address, newer: str, order: tuple[str, str]
) -> None:
    chain.upgrade(uneven, newer, col="lab_b")
    for schema in ("gacl", "lab_a", "lab_b"):
        chain.execute(uneven, f"drop table {schema}.migration_history")
    for schema in ("lab_a", "lab_b"):
        chain.execute(uneven, f"drop table {schema}.alembic_version")
    for schema in order:
        version = {"lab_a": "1.0.5", "lab_b": newer}[schema]
        done = alembic("-x", f"col={schema}", "stamp", version, url=uneven.url)
        assert done.returncode == 0, done.stdout
    assert versions(uneven, "gacl")[-1] == newer
    chain.upgrade(uneven, col="lab_a")
    chain.upgrade(uneven, **BOTH)
    assert at_head(uneven, "lab_a")
    assert at_head(uneven, "lab_b")
    assert versions(uneven, "gacl")[-1] == chain.HEAD


def wrongly_stamped(address: Address, version: str, col: str, *others: str) -> None:
    """Leave what a stamp of an older release of the tool left: it asked for no proof."""
    chain.execute(address, f"update {col}.alembic_version set version_num = '{version}'")
    for schema in (col, *others):
        entry = history.Entry(version=version, kind="stamped")
        chain.execute(address, history.insertion(schema, entry))


def test_a_wrong_stamp_can_be_put_right(database: Address) -> None:
    chain.upgrade(database, "1.0.8", col="lab_a")
    wrongly_stamped(database, "1.1", "lab_a", "gacl")
    assert versions(database, "gacl")[-1] == "1.1"
    done = alembic("-x", "col=lab_a", "stamp", "1.0.8", url=database.url)
    assert done.returncode == 0, done.stdout
    for schema in ("lab_a", "gacl"):
        assert versions(database, schema)[-1] == "1.0.8"
    chain.upgrade(database, col="lab_a")
    assert at_head(database, "lab_a")


def test_a_schema_stamped_older_does_not_pull_the_rights_back(uneven: Address) -> None:
    chain.upgrade(uneven, "1.1", col="lab_b")
    done = alembic("-x", "col=lab_a", "stamp", "1.0.5", url=uneven.url)
    assert done.returncode == 0, done.stdout
    assert versions(uneven, "gacl")[-1] == "1.1"
    chain.upgrade(uneven, col="lab_b")
    wrongly_stamped(uneven, "1.0.5", "lab_a")
    chain.upgrade(uneven, **BOTH)
    assert at_head(uneven, "lab_a")
    assert versions(uneven, "gacl").count(chain.HEAD) == 1


def test_names_with_commas_and_quotes(database: Address) -> None:
    listed = ",".join(chain.quoted(name) for name in AWKWARD)
    chain.upgrade(database, "1.0.8", gacl="droits, d'accès", col=listed)
    shown = alembic(
        "-x", "gacl=droits, d'accès", "-x", f"col={listed}", "current", url=database.url
    )
    assert shown.stdout.splitlines() == [line for name in AWKWARD for line in (f"{name}:", "1.0.8")]
    chain.upgrade(database, "1.1", gacl="droits, d'accès", col=listed)
    for name in AWKWARD:
        found = chain.catalog(database, Names(gacl="droits, d'accès", col=name))
        assert not compare(expected=chain.known("1.1"), observed=found), name


def test_each_schema_has_keys_to_the_one_rights_schema(database: Address) -> None:
    chain.upgrade(database, **BOTH)
    keys = (
        "select distinct a.relnamespace::regnamespace::text, b.relnamespace::regnamespace::text"
        " from pg_constraint k join pg_class a on a.oid = k.conrelid"
        " join pg_class b on b.oid = k.confrelid where k.contype = 'f' order by 1, 2"
    )
    assert chain.query(database, keys) == [
        ("gacl", "gacl"),
        ("lab_a", "gacl"),
        ("lab_a", "lab_a"),
        ("lab_b", "gacl"),
        ("lab_b", "lab_b"),
    ]


def test_two_schemas_of_awkward_names_go_back_to_every_version_and_lose_nothing(
    database: Address,
) -> None:
    pairs = [Names(gacl=AWKWARD[3], col=name) for name in AWKWARD[1:3]]
    given = {"gacl": AWKWARD[3], "col": ",".join(chain.quoted(pair.col) for pair in pairs)}
    chain.upgrade(database, **given)

    def held() -> list[object]:
        with chain.connected(database) as connection:
            return [filled.rows(connection, pair) for pair in pairs]

    with chain.connected(database) as connection:
        for pair in pairs:
            sample_data.fill(connection, pair, movements=20)
        connection.commit()
    before = held()
    for version in reversed(chain.VERSIONS[:-1]):
        chain.downgrade(database, version, **given)
        for pair in pairs:
            found = chain.catalog(database, pair)
            assert not compare(expected=chain.known(version), observed=found), version
    said = chain.upgrade(database, **given)
    assert [line for line in said if "stay in the archive" in line] == []
    assert held() == before

"""A wrapped script beside psql: 1,000 statements of all kinds, and 20,000 with accents.

Run it alone with: python -m benchmarks --only wrapping
"""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import chdir
from functools import partial
from pathlib import Path

from benchmarks import peers
from benchmarks.measuring import ROOT, Measurement, median
from benchmarks.upgrade import REPEATS, database, dropped
from collec_migrations import sql, versions, wrap
from collec_migrations.postgres import binaries
from collec_migrations.postgres.address import Address

NAMES = {"gacl": "Droits X", "col": "lab-A"}
HEAD = versions.in_chain()[-1]
GROUP = "wrapping"


def wrapped_script(server: Address) -> Iterator[Measurement]:
    """Yield what a wrapped script takes, from reading it to running it."""
    for what, lines in (
        ("1,000 statements of all kinds", mixed(1_000)),
        ("20,000 rows with accents", rows(20_000)),
    ):
        with tempfile.TemporaryDirectory() as folder, chdir(folder):
            path = Path(f"col_alter_{HEAD}-27.0.sql")
            path.write_text("\n".join(lines), encoding="utf-8")
            wrap.wrap([path])
            text = path.read_text("utf-8")
            works: dict[str, Callable[[], object]] = {
                "collec-migrations: read": lambda: wrap.read_script([path]),  # noqa: B023
                "collec-migrations: bind names": lambda: sql.bind(text, NAMES),  # noqa: B023
            }
            for way, work in works.items():
                seconds = median([work] * REPEATS)
                yield Measurement(group=GROUP, what=what, way=way, seconds=seconds)
            yield from _on_server(server, what, path)


def mixed(number: int) -> Iterator[str]:
    """Yield statements in the proportions of the application's own scripts."""
    for n in range(0, number, 8):
        yield f"create table col.t{n} (id serial primary key, name varchar not null);"
        yield f"alter table col.t{n} owner to collec;"
        yield f"comment on table col.t{n} is E'table {n} of col';"
        yield f"comment on column col.t{n}.name is E'l''étiquette';"
        yield f"insert into col.t{n} (name) values (E'colour {n}'), ('é');"
        yield f"create index t{n}_name_idx on col.t{n} using btree (lower(name));"
        yield f"alter table col.t{n} add column uid int references col.object (uid);"
        yield f"create view col.v{n} as select t.*, o.identifier from col.t{n} t" \
            " left join col.object o using (uid);"  # fmt: skip


def rows(number: int) -> Iterator[str]:
    """Yield a table and its rows, each with an accent."""
    yield "create table col.place (id integer, name varchar);"
    for n in range(1, number):
        yield f"insert into col.place (id, name) values ({n}, 'Évian-les-Bains');"


def _on_server(server: Address, what: str, path: Path) -> Iterator[Measurement]:
    at_start = database(server, "at_head")
    upgrade(at_start, HEAD)
    works: dict[str, Callable[[Address], object]] = {
        "alembic: run": partial(upgrade, version="head"),
        "alembic: nothing to do": partial(upgrade, version=HEAD),
        "psql -1 -f: run": partial(psql, path=path),
    }
    for way, work in works.items():
        clones = [database(server, f"wrapped_{n}", at_start.dbname) for n in range(REPEATS)]
        seconds = median([partial(work, one) for one in clones])
        yield Measurement(group=GROUP, what=what, way=way, seconds=seconds)
        for one in clones:
            dropped(server, one)
    dropped(server, at_start)


def upgrade(address: Address, version: str) -> None:
    """Upgrade by the tool's own command, a whole process."""
    ini = Path("alembic.ini")
    if not ini.exists():
        ini.write_text(
            "[alembic]\nscript_location = collec_migrations:migrate/alembic\npath_separator = os\n"
            f"version_locations = {ROOT}/versions:%(here)s/collec-versions\n"
        )
    options = ["-x", f"url={address.url}", "-x", "backup=no"]
    peers.run([peers.ours("alembic"), *options, "upgrade", version], Path())


def psql(address: Address, path: Path) -> None:
    """Run the script by psql in one transaction."""
    program = str(binaries.embedded().program("psql"))
    words = [program, "-Xq", "-1", "-v", "ON_ERROR_STOP=1", "-d", address.dsn, "-f", str(path)]
    peers.run(words, Path())

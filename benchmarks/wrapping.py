"""A wrapped script of 1,000 statements: parsing and binding it, and running it beside psql.

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
from collec_migrations import scripts
from collec_migrations.postgres import binaries
from collec_migrations.postgres.address import Address
from collec_migrations.wrapping import choices, wrap
from collec_migrations.wrapping import script as wrapped

NAMES = {"gacl": "Droits X", "col": "lab-A"}


STATEMENTS = 1000
GROUP = "wrapping"
WHAT = f"a script of {STATEMENTS:,} statements"


def wrapped_script(server: Address) -> Iterator[Measurement]:
    """Yield what a wrapped script takes, from reading it to running it."""
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        path = Path("col_alter_1.1-27.0.sql")
        path.write_text("\n".join(statements(STATEMENTS)), encoding="utf-8")
        wrap.wrap([path], wrap.Place.of(None))
        text = path.read_text("utf-8")
        works: dict[str, Callable[[], object]] = {
            "collec-migrations: parse": lambda: wrapped.read([path]),
            "collec-migrations: bind names": lambda: scripts.bind(text, NAMES),
            "collec-migrations: look for doubts": lambda: list(
                choices.undecided(wrapped.read([path]), NAMES)
            ),
        }
        for way, work in works.items():
            seconds = median([work] * REPEATS)
            yield Measurement(group=GROUP, what=WHAT, way=way, seconds=seconds)
        yield from _on_server(server, scripts.bind(text, NAMES))


def statements(number: int) -> Iterator[str]:
    """Yield statements in the proportions of the application's own scripts."""
    yield "set search_path = public, pg_catalog, gacl, col;"
    for n in range(1, number, 8):
        yield f"create table col.t{n} (id serial primary key, name varchar not null);"
        yield f"alter table col.t{n} owner to collec;"
        yield f"comment on table col.t{n} is E'table {n} of col';"
        yield f"comment on column col.t{n}.name is E'l''étiquette';"
        yield f"insert into col.t{n} (name) values (E'col {n}'), ('gacl');"
        yield f"create index t{n}_name_idx on col.t{n} using btree (lower(name));"
        yield f"alter table col.t{n} add column sample_id int references col.sample (sample_id);"
        yield f"create view col.v{n} as select t.*, s.uid from col.t{n} t left join col.sample s" \
            " using (sample_id);"  # fmt: skip


def _on_server(server: Address, bound: str) -> Iterator[Measurement]:
    at_start = database(server, "at_1_1")
    upgrade(at_start, "1.1")
    Path("bound.sql").write_text(bound.replace(" owner to collec", " owner to current_user"))
    works: dict[str, Callable[[Address], object]] = {
        "alembic: run": partial(upgrade, version="head"),
        "alembic: run with nothing to do": partial(upgrade, version="1.1"),
        "psql -1 -f: run": psql,
    }
    for way, work in works.items():
        clones = [database(server, f"wrapped_{n}", at_start.dbname) for n in range(REPEATS)]
        seconds = median([partial(work, one) for one in clones])
        yield Measurement(group=GROUP, what=WHAT, way=way, seconds=seconds)
        for one in clones:
            dropped(server, one)


def upgrade(address: Address, version: str) -> None:
    """Upgrade by the tool's own command, a whole process."""
    ini = Path("alembic.ini")
    if not ini.exists():
        ini.write_text(
            "[alembic]\nscript_location = collec_migrations:migrate/alembic\npath_separator = os\n"
            f"version_locations = {ROOT}/versions:%(here)s/collec-versions\n"
        )
    words = [f"url={address.url}", f"gacl={NAMES['gacl']}", f"col={NAMES['col']}"]
    options = [word for one in words for word in ("-x", one)]
    peers.run([peers.ours("alembic"), *options, "upgrade", version], Path())


def psql(address: Address) -> None:
    """Run the bound script by psql in one transaction."""
    program = str(binaries.embedded().program("psql"))
    words = [program, "-Xq", "-1", "-v", "ON_ERROR_STOP=1", "-d", address.dsn, "-f", "bound.sql"]
    peers.run(words, Path())

"""A wrapped script of 1,000 statements: parsing and binding it, and running it beside psql.

Run it with: python -m benchmarks.wrapping [STATEMENTS]
"""

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from benchmarks.upgrade import REPEATS, database, timed
from collec_migrations import scripts
from collec_migrations.server import binaries
from collec_migrations.server.address import Address
from collec_migrations.server.throwaway import throwaway
from collec_migrations.wrapping import choices, wrap
from collec_migrations.wrapping import script as wrapped

NAMES = {"gacl": "Droits X", "col": "lab-A"}


def main(arguments: Sequence[str]) -> None:
    """Measure on a throwaway server that writes as a real one does, and print the figures."""
    number = int(arguments[0]) if arguments else 1000
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        path = Path("col_alter_1.1-27.0.sql")
        path.write_text("\n".join(statements(number)), encoding="utf-8")
        wrap.wrap([path], wrap.Place.of(None))
        text = path.read_text("utf-8")
        show("parse", lambda: wrapped.read([path]))
        show("bind", lambda: scripts.bind(text, NAMES))
        show("look for doubts", lambda: list(choices.undecided(wrapped.read([path]), NAMES)))
        with throwaway(binaries.embedded(), settings={}) as server:
            _on_server(server, scripts.bind(text, NAMES))


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


def show(what: str, work: Callable[[], object]) -> None:
    """Print the median time of some work."""
    seconds = statistics.median(timed(work) for _ in range(REPEATS))
    sys.stdout.write(f"{what}: {seconds * 1000:.0f} ms\n")


def _on_server(server: Address, bound: str) -> None:
    at_start = database(server, "at_1_1")
    upgrade(at_start, "1.1")
    clones = [database(server, f"clone_{n}", template=at_start.dbname) for n in range(3 * REPEATS)]
    Path("bound.sql").write_text(bound.replace(" owner to collec", " owner to current_user"))
    ours = statistics.median(timed(partial(upgrade, one, "head")) for one in clones[::3])
    nothing = statistics.median(timed(partial(upgrade, one, "1.1")) for one in clones[1::3])
    theirs = statistics.median(timed(partial(psql, one)) for one in clones[2::3])
    sys.stdout.write(
        f"run: {ours:.2f} s, of which {nothing:.2f} s without anything to do; psql {theirs:.2f} s\n"
    )


def upgrade(address: Address, version: str) -> None:
    """Upgrade by the tool's own command, a whole process."""
    program = Path(sys.executable).parent / "alembic"
    ini = Path("alembic.ini")
    if not ini.exists():
        versions = Path(__file__).parent.parent / "versions"
        ini.write_text(
            "[alembic]\nscript_location = collec_migrations:environment\npath_separator = os\n"
            f"version_locations = {versions}:%(here)s/collec-versions\n"
        )
    words = [f"url={address.url}", f"gacl={NAMES['gacl']}", f"col={NAMES['col']}"]
    options = [word for one in words for word in ("-x", one)]
    subprocess.run([str(program), *options, "upgrade", version], check=True, capture_output=True)


def psql(address: Address) -> None:
    """Run the bound script by psql in one transaction."""
    program = str(binaries.embedded().program("psql"))
    words = [program, "-Xq", "-1", "-v", "ON_ERROR_STOP=1", "-d", address.dsn, "-f", "bound.sql"]
    subprocess.run(words, check=True, capture_output=True)


if __name__ == "__main__":
    main(sys.argv[1:])

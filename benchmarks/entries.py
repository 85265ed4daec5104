"""What is measured, an entry each: a function that yields its rows."""

import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from itertools import count, pairwise
from pathlib import Path
from typing import Self

import psycopg2

from benchmarks.measuring import ROOT, Row, process, row
from collec_migrations import versions
from collec_migrations.names import Names
from collec_migrations.postgres import binaries, sizes
from collec_migrations.postgres.address import Address
from collec_migrations.postgres.throwaway import throwaway
from collec_migrations.testing import sample_data

CHAIN = versions.in_chain(versions.versions_folder())
HEAD = CHAIN[-1]
MEGABYTE = 1 << 20
PHYSICAL = 15
"""The newest server that Debian's pgBackRest knows."""
SUPERUSER = "chief"
"""Of the server: no other server of ours has a role of this name."""
REPAIRED = """
drop view col.last_movement cascade;
drop index col.movement_uid_idx;
alter table col.movement drop constraint object_storage_fk;
alter table col.sample drop constraint object_sample_fk;
drop table if exists col.alembic_version, col.migration_history;
drop table if exists gacl.alembic_version, gacl.migration_history
"""
"""Damages of each kind that one pass over a large table repairs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is measured."""

    movements: int
    documents: int
    """Megabytes."""
    statements: tuple[int, int]
    repeats: int
    """Of short commands."""
    large: int
    """Of runs on large databases."""


FULL = Size(movements=1_000_000, documents=1000, statements=(1_000, 20_000), repeats=7, large=2)
QUICK = Size(movements=5_000, documents=3, statements=(64, 300), repeats=2, large=1)


class Site:
    """A server, and the databases with laboratory data that several entries take."""

    def __init__(self, server: Address) -> None:
        self.server = server
        self.stack = ExitStack()
        self.templates: dict[tuple[str, int], Address] = {}
        self.numbers = count()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.stack.close()

    @contextmanager
    def database(self, template: str = "template0") -> Iterator[Address]:
        """Give a new database, copied file by file, on a server that has nothing left to write."""
        name = f"bench_{next(self.numbers)}"
        execute(self.server, f'create database "{name}" template "{template}" strategy file_copy')
        execute(self.server, "checkpoint")
        try:
            yield replace(self.server, dbname=name)
        finally:
            execute(self.server, f'drop database "{name}" with (force)')

    def filled(self, version: str, movements: int) -> Address:
        """Return a database of a version with laboratory data: vacuumed and analysed."""
        key = version, movements
        if key not in self.templates:
            made = self.stack.enter_context(self.database())
            process(alembic("upgrade", version)(made), ROOT, WITHOUT)
            if movements:
                with closing(psycopg2.connect(made.dsn)) as connection:
                    sample_data.fill(connection, Names(), movements=movements)
                    connection.commit()
            execute(made, "create extension if not exists pg_trgm")
            execute(made, "vacuum analyze")
            self.templates[key] = made
        return self.templates[key]


Command = Callable[[Address], Sequence[str]]
"""The words of a process that does its work on a database."""


def ours(*words: str) -> Command:
    """Return a command of our program."""
    program = str(Path(sys.executable).parent / "collec-migrations")
    return lambda address: [program, *words, "--url", address.url]


def alembic(*words: str) -> Command:
    """Return a command of Alembic in this project."""
    program = str(Path(sys.executable).parent / "alembic")
    given = ("-x", "without_postgis=yes")
    return lambda address: [program, "-x", f"url={address.url}", *given, *words]


def psql(*files: Path) -> Command:
    """Return psql with files, in one transaction."""
    program = str(binaries.embedded().program("psql"))
    options = ("-Xq", "-1", "-v", "ON_ERROR_STOP=1", "-o", os.devnull)
    listed = [word for path in files for word in ("-f", str(path))]
    return lambda address: [program, *options, "-d", address.dsn, *listed]


def shell(script: str) -> Command:
    """Return a shell's line; DSN and URL stand for the address, programs for the server's own."""
    folder = binaries.embedded().bin_dir

    def words(address: Address) -> Sequence[str]:
        text = script.replace("DSN", shlex.quote(address.dsn))
        text = text.replace("URL", shlex.quote(address.url))
        return ["/bin/sh", "-euc", f"PATH={shlex.quote(str(folder))}:$PATH; {text}"]

    return words


def scripts(start: str, stop: str) -> tuple[Path, ...]:
    """Return the scripts from a version to a later or an earlier one, without PostGIS."""
    between = CHAIN[CHAIN.index(min(start, stop, key=versions.order)) :]
    between = between[: between.index(max(start, stop, key=versions.order)) + 1]
    ordered = between if versions.order(start) < versions.order(stop) else between[::-1]
    names = (name for pair in pairwise(ordered) for name in versions.script_names(*pair))
    folder = versions.scripts_folder()
    return tuple(folder / name for name in names if "postgis" not in name)


WITHOUT: Mapping[str, str] = {"COLLEC_WITHOUT_POSTGIS": "yes"}


def compared(
    site: Site,
    template: Address,
    what: str,
    ways: Mapping[str, Command],
    repeats: int,
    *,
    aim: str = "",
    folder: Path = ROOT,
) -> Iterator[Row]:
    """Yield the ways, run in turn, each on a clone of its own; psql's is the yardstick."""
    taken: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
    for _ in range(repeats):
        for way, command in ways.items():
            with site.database(template.dbname) as clone:
                taken[way].append(process(command(clone), folder, WITHOUT))
    for way, found in taken.items():
        is_yardstick = not way.startswith(("alembic", "collec-migrations", "bare"))
        yield row(what, way, found, yardstick=is_yardstick, aim="" if is_yardstick else aim)


def start(site: Site, size: Size) -> Iterator[Row]:
    """Commands that read, and runs with nothing to do, at the newest version."""
    commands = {
        "--help": (ours("--help"), 0.08),
        "--version": (ours("--version"), 0.08),
        "status": (ours("status"), 0.2),
        "detect": (ours("detect"), 0.2),
        "history": (ours("history"), 0.2),
        "upgrade, nothing to do": (ours("upgrade", "--yes"), 0.2),
        "verify": (ours("verify"), 0.3),
        "upgrade --plan": (ours("upgrade", "--plan"), 0.3),
    }
    with site.database() as address, bare() as project:
        process(alembic("upgrade", "head")(address), ROOT, WITHOUT)
        for what, (command, aim) in commands.items():
            words = [*command(address)]
            if what.startswith("--"):
                words = words[:2]
            taken = [process(words, ROOT, WITHOUT) for _ in range(size.repeats)]
            limit = f"processor {aim:.2f} s"
            yield row(what, f"collec-migrations {what.split(',')[0]}", taken, aim=limit)
        with site.database() as other:
            process(alembic("upgrade", "head")(other), project)
            for given in (("current",), ("upgrade", "head")):
                what = f"alembic {' '.join(given)}, nothing to do"
                mine, theirs = [], []
                for _ in range(size.repeats):
                    mine.append(process(alembic(*given)(address), ROOT, WITHOUT))
                    theirs.append(process(alembic(*given)(other), project))
                yield row(what, "alembic", mine, aim="processor: bare + 0.05 s")
                yield row(what, "bare: the same with one empty revision", theirs, yardstick=True)


def install(site: Site, size: Size) -> Iterator[Row]:
    """A fresh installation by Alembic, by our command, and by psql."""
    creation = [versions.scripts_folder() / f"{role}_create-{HEAD}.sql" for role in ("gacl", "col")]
    with site.database() as empty, bare() as project:
        execute(empty, "create extension pg_trgm")
        ways = {
            "alembic": alembic("upgrade", "head"),
            "collec-migrations": ours("upgrade", "--yes"),
            "psql -1": psql(*creation),
        }
        found = list(compared(site, empty, f"fresh {HEAD}", ways, size.repeats))
        with site.database() as other:
            taken = [process(alembic("upgrade", "head")(other), project)]
            for _ in range(size.repeats):
                process(alembic("downgrade", "base")(other), project)
                taken.append(process(alembic("upgrade", "head")(other), project))
        plain = row(f"fresh {HEAD}", "bare: Alembic with one empty revision", taken)
        limit = f"bare + 1.5 x psql: {plain.wall + 1.5 * found[-1].wall:.2f} s"
        yield replace(found[0], aim=limit)
        yield from (*found[1:], plain)


def chain(site: Site, size: Size) -> Iterator[Row]:
    """1.1 to the newest version without and with movements, beside the same scripts by psql."""
    ways = {
        "alembic": alembic("upgrade", "head"),
        "collec-migrations": ours("upgrade", "--yes", "--no-backup"),
        "psql -1": psql(*scripts("1.1", HEAD)),
    }
    for movements in (0, size.movements):
        template = site.filled("1.1", movements)
        what = f"1.1 to {HEAD}, {movements:,} movements"
        repeats = size.large if movements else 5
        yield from compared(site, template, what, ways, repeats, aim="1.30" if movements else "")


SETTINGS = ("", "jit=on", "work_mem=256MB", "maintenance_work_mem=1GB",
            "max_parallel_maintenance_workers=0")  # fmt: skip
"""Beside the server's own values, and jit off; never synchronous_commit, which promises less."""


def settings(site: Site, size: Size) -> Iterator[Row]:
    """1.1 to the newest version by psql under settings of the server that could matter."""
    command = psql(*scripts("1.1", HEAD))
    for movements in (0, size.movements):
        template = site.filled("1.1", movements)
        for one in SETTINGS:
            taken = []
            for _ in range(size.large):
                options = " ".join(f"-c {name}" for name in ("jit=off", one) if name)
                with site.database(template.dbname) as clone:
                    taken.append(process(command(clone), ROOT, {"PGOPTIONS": options}))
            what = f"1.1 to {HEAD}, {movements:,} movements"
            yield row(what, one or "jit=off alone", taken, yardstick=not one)


def step(site: Site, size: Size) -> Iterator[Row]:
    """The step that moves most rows, up and down, beside psql; and what the archive holds."""
    for begin, end in (("1.0.8", "1.1"), ("1.1", "1.0.8")):
        way = "upgrade" if begin < end else "downgrade"
        template = site.filled(begin, size.movements)
        what = f"{begin} to {end}"
        ways = {"alembic": alembic(way, end), "psql -1": psql(*scripts(begin, end))}
        yield from compared(site, template, what, ways, size.large)
        with site.database(template.dbname) as clone:
            before = bytes_of(clone, "gacl", "col")
            taken = [process(alembic(way, end)(clone), ROOT, WITHOUT)]
            kept = bytes_of(clone, "gacl_archive", "col_archive")
            yield row(f"{what}: what is kept", "alembic", taken, size=kept)
            yield row(f"{what}: what there was", "alembic", taken, size=before)


def wrapped(site: Site, size: Size) -> Iterator[Row]:
    """A script of 1,000 statements of all kinds, and one of 20,000 with accents."""
    kinds = zip((mixed, accents), size.statements, strict=True)
    template = site.filled(HEAD, 0)
    for make, number in kinds:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            path = folder / f"col_alter_{HEAD}-27.0.sql"
            path.write_text("\n".join(make(number)), encoding="utf-8")
            (folder / "alembic.ini").write_text(
                "[alembic]\nscript_location = collec_migrations:migrate/alembic\n"
                f"path_separator = os\nversion_locations = {ROOT}/versions:%(here)s/"
                "collec-versions\n"
            )
            process([*ours("wrap", str(path), "--yes")(template)][:-2], folder)
            no_backup = ("-x", "backup=no")
            ways = {
                "alembic": alembic(*no_backup, "upgrade", "27.0"),
                "psql -1": psql(path),
            }
            what = f"{number:,} statements{' with accents' if make is accents else ''}"
            found = [*compared(site, template, what, ways, 3, aim="1.50", folder=folder)]
            idle = [
                process(alembic(*no_backup, "upgrade", HEAD)(template), folder, WITHOUT)
                for _ in range(3)
            ]
            nothing = row(what, "alembic, nothing to do", idle)
            net = replace(found[0], way="alembic, without its start-up",
                          wall=found[0].wall - nothing.wall, cpu=None)  # fmt: skip
            yield from (*found, nothing, net)


def mixed(number: int) -> Iterator[str]:
    """Yield statements in the proportions of the application's own scripts."""
    for n in range(0, number, 8):
        yield f"create table col.t{n} (id serial primary key, name varchar not null);"
        yield f"alter table col.t{n} owner to {SUPERUSER};"
        yield f"comment on table col.t{n} is E'table {n} of col';"
        yield f"comment on column col.t{n}.name is E'l''étiquette';"
        yield f"insert into col.t{n} (name) values (E'colour {n}'), ('é');"
        yield f"create index t{n}_name_idx on col.t{n} using btree (lower(name));"
        yield f"alter table col.t{n} add column uid int references col.object (uid);"
        yield f"create view col.v{n} as select t.*, o.identifier from col.t{n} t" \
            " left join col.object o using (uid);"  # fmt: skip


def accents(number: int) -> Iterator[str]:
    """Yield a table and its rows, each with an accent."""
    yield "create table col.place (id integer, name varchar);"
    for n in range(1, number):
        yield f"insert into col.place (id, name) values ({n}, 'Évian-les-Bains');"


def adopt(site: Site, size: Size) -> Iterator[Row]:
    """Adoption with the repair of what lies on the largest tables."""
    with site.database(site.filled(HEAD, size.movements).dbname) as template:
        execute(template, REPAIRED)
        what = f"{HEAD}, {size.movements:,} movements"
        for way, command in (("detect", ours("detect")), ("verify", ours("verify")),
                             ("adopt", ours("adopt", "--yes"))):  # fmt: skip
            taken = []
            for _ in range(size.large):
                with site.database(template.dbname) as clone:
                    given = shell(f"{shlex.join(command(clone))} || [ $? = 1 ]")
                    taken.append(process(given(clone), ROOT, WITHOUT))
            aim = "seconds" if way == "adopt" else ""
            yield row(f"{way}, {what}", f"collec-migrations {way}", taken, aim=aim)


def rehearse(site: Site, size: Size) -> Iterator[Row]:
    """A rehearsal beside a dump, a restore and the upgrade of it."""
    with site.database() as target:
        template = site.filled("1.1", size.movements)
        upgrade = shlex.join(ours("upgrade", "--yes", "--no-backup")(target))
        restore = f"pg_restore -d {shlex.quote(target.dsn)} dump"
        ways = {
            "collec-migrations rehearse": ours("rehearse"),
            "dump, restore, upgrade": shell(f"pg_dump -Fc -d DSN -f dump; {restore}; {upgrade}"),
        }
        what = f"1.1 to {HEAD}, {size.movements:,} movements"
        with tempfile.TemporaryDirectory() as name:
            yield from compared(site, template, what, ways, 1, aim="1.00", folder=Path(name))


def backup(site: Site, size: Size) -> Iterator[Row]:
    """A backup of documents that hardly compress, its proof, and dumps by hand."""
    with (
        site.database(site.filled(HEAD, 1000).dbname) as full,
        tempfile.TemporaryDirectory() as name,
    ):
        _add_documents(full, size.documents)
        execute(full, "checkpoint")
        what = f"{size.documents:,} MB of documents"
        ways = {
            "pg_dump -Fc -Z1": shell("pg_dump -Fc -Z1 -d DSN -f dump"),
            "pg_dump -Fd -j2 -Z1": shell("pg_dump -Fd -j2 -Z1 -d DSN -f folder"),
            "collec-migrations backup run": ours("backup", "run", "--into", "one"),
            "collec-migrations backup run --jobs 2":
                ours("backup", "run", "--into", "two", "--jobs", "2"),
        }  # fmt: skip
        found = []
        for way, command in ways.items():
            place = Path(name) / way.replace(" ", "")
            place.mkdir()
            taken = [process(command(full), place)]
            found.append(row(what, way, taken, size=sizes.of_folder(place), aim="1.20"))
        quickest = min(found[:2], key=lambda one: one.wall)
        for one in found:
            is_dump = one.way.startswith("pg_dump")
            yield replace(one, yardstick=one is quickest, aim="" if is_dump else one.aim)
        place = Path(name) / "collec-migrationsbackuprun"
        proof = [*ours("backup", "verify", "last", "--into", "one")(full)][:-2]
        yield row(f"proof of {what}", "collec-migrations backup verify", [process(proof, place)])


def _add_documents(address: Address, megabytes: int) -> None:
    with closing(psycopg2.connect(address.dsn)) as connection, connection.cursor() as cursor:
        for number in range(megabytes):
            cursor.execute(
                "insert into col.document (uid, mime_type_id, document_name, data,"
                " document_import_date) select min(uid), 1, %s, %s, now() from col.object",
                (f"document {number}.pdf", os.urandom(MEGABYTE)),
            )
        connection.commit()


PGBACKREST = (
    "runuser -u {who} -- pgbackrest --config=/dev/null --stanza=bench --pg1-path={data}"
    " --pg1-socket-path={host} --pg1-port={port} --pg1-user={user} --pg1-database=postgres"
    " --repo1-path={repo} --log-path={repo} --lock-path={repo} --log-level-file=off"
)


def physical(_: Site, size: Size) -> Iterator[Row]:
    """The same beside pgBackRest, where it is installed (as root; 2.45 knows servers up to 15)."""
    server = next((one for one in binaries.at_hand() if one.major == PHYSICAL), None)
    if server is None or shutil.which("pgbackrest") is None or os.geteuid() != 0:
        return
    with (
        throwaway(server, settings={}, superuser=SUPERUSER) as at,
        Site(at) as site,
        site.database(site.filled(HEAD, 1000).dbname) as full,
        tempfile.TemporaryDirectory() as name,
    ):
        _add_documents(full, size.documents)
        execute(full, "checkpoint")
        with closing(psycopg2.connect(full.dsn)) as connection, connection.cursor() as cursor:
            cursor.execute("show data_directory")
            (data,) = cursor.fetchone() or ("",)
        Path(name).chmod(0o755)
        who, repo = Path(data).owner(), Path(name) / "repository"
        repo.mkdir()
        shutil.chown(repo, who)
        base = PGBACKREST.format(
            who=who, data=data, host=at.host, port=at.port, user=at.user, repo=repo
        )
        process(shell(f"cd /; {base} --no-online stanza-create")(full), Path(name))
        what = f"{size.documents:,} MB of documents, PostgreSQL {PHYSICAL}"
        dump = f"{server.bin_dir}/pg_dump"
        ways = {
            "pg_dump -Fc -Z1": shell(f"{dump} -Fc -Z1 -d DSN -f dump"),
            "pg_dump -Fd -j2 -Z1": shell(f"{dump} -Fd -j2 -Z1 -d DSN -f folder"),
            "pgBackRest, 2 processes, gzip 1": shell(
                f"cd /; {base} --no-archive-check --start-fast --process-max=2"
                " --compress-level=1 backup"
            ),
            "collec-migrations backup run": ours("backup", "run", "--into", "one"),
            "collec-migrations backup run --jobs 2":
                ours("backup", "run", "--into", "two", "--jobs", "2"),
        }  # fmt: skip
        found = []
        for number, (way, command) in enumerate(ways.items()):
            place = Path(name) / str(number)
            place.mkdir()
            taken = [process(command(full), place)]
            written = repo if way.startswith("pgBackRest") else place
            aim = "1.20" if way.startswith("collec") else ""
            found.append(row(what, way, taken, size=sizes.of_folder(written), aim=aim))
        quickest = min(found[:2], key=lambda one: one.wall)
        yield from (replace(one, yardstick=one is quickest) for one in found)


ENTRIES: Mapping[str, Callable[[Site, Size], Iterator[Row]]] = {
    "start": start,
    "install": install,
    "chain": chain,
    "settings": settings,
    "step": step,
    "wrap": wrapped,
    "adopt": adopt,
    "rehearse": rehearse,
    "backup": backup,
    "physical": physical,
}


@contextmanager
def bare() -> Iterator[Path]:
    """Give a project of Alembic's own with one empty revision."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "versions").mkdir()
        (folder / "alembic.ini").write_text("[alembic]\nscript_location = .\n")
        (folder / "versions" / "one.py").write_text(
            'revision = "one"\ndown_revision = None\n\n\ndef upgrade():\n    pass\n\n\n'
            "def downgrade():\n    pass\n"
        )
        (folder / "env.py").write_text(
            "from alembic import context\nfrom sqlalchemy import create_engine\n"
            "url = context.get_x_argument(as_dictionary=True)['url']\n"
            "url = url.replace('postgresql:', 'postgresql+psycopg2:')\n"
            "with create_engine(url).connect() as connection:\n"
            "    context.configure(connection=connection)\n"
            "    with context.begin_transaction():\n        context.run_migrations()\n"
        )
        yield folder


def execute(address: Address, statement: str) -> None:
    """Run statements outside any transaction."""
    with closing(psycopg2.connect(address.dsn)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            for one in filter(str.strip, statement.split(";")):
                cursor.execute(one)


def bytes_of(address: Address, *schemas: str) -> int:
    """Return how much the tables of schemas take, with their indexes."""
    query = (
        "select coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint from pg_class c"
        " where relnamespace = any (array(select oid from pg_namespace where nspname = any (%s)))"
        " and relkind = 'r'"
    )
    with closing(psycopg2.connect(address.dsn)) as connection, connection.cursor() as cursor:
        cursor.execute(query, (list(schemas),))
        return int((cursor.fetchone() or (0,))[0])

"""Install in tests: a database and a role of its own for each, and what there is of them."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import make_dsn
from typer.testing import CliRunner, Result

from collec_migrations.cli import main
from collec_migrations.postgres import programs
from tests.sites import Site

ASKED = "asked"
"""What a test adds to do without `--yes`."""
RULES = "with access rules"
"""Among the words of a test: write them; else they are shown."""
PASSWORD = 'pa\'ss \\ %s "wörd"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Lab:
    """An installation on a server, made or not."""

    site: Site
    name: str
    """Of the database and of its owner."""

    def install(
        self, *words: str, password: str | None = PASSWORD, postgis: bool = False
    ) -> Result:
        """Run the command in this process."""
        environment = {name: None for name in os.environ if name.startswith(("PG", "COLLEC_"))} | {
            "COLLEC_DATABASE_URL": self.site.address().dsn,
            "COLLEC_DB_PASSWORD": password,
            "COLLEC_WITHOUT_POSTGIS": None if postgis else "yes",
        }
        more = [*words] if {"--plan", ASKED} & {*words} else ["--yes", *words]
        if ASKED in more:
            more.remove(ASKED)
        if RULES in more:
            more.remove(RULES)
        else:
            more.append("--no-hba")
        return CliRunner().invoke(
            main.app, ["install", "--database", self.name, "--owner", self.name, *more],
            env=environment,
        )  # fmt: skip

    def resources(self, *words: str, password: str | None = PASSWORD) -> dict[str, str]:
        """Return the state of each resource, by kind and name, as `--plan` tells it."""
        shown = self.install("--plan", "--json", *words, password=password)
        assert shown.exit_code in (0, 1), shown.output
        return {
            f"{resource['kind']} {resource['name']}": resource["state"]
            for resource in json.loads(shown.stdout)["resources"]
        }

    def enters(self, database: str | None = None, *, password: str = PASSWORD) -> str:
        """Return why the server refuses the account by TCP; empty when it comes in."""
        dsn = self.site.tcp(self.name, password, database or self.name)
        try:
            with closing(psycopg2.connect(dsn)):
                return ""
        except psycopg2.OperationalError as error:
            return str(error)

    def enters_by_socket(self, database: str | None = None, *, password: str = PASSWORD) -> str:
        """Return why the server refuses the account by its socket."""
        dsn = make_dsn(host=str(self.site.folder), port=self.site.port, user=self.name,
                       password=password, dbname=database or self.name)  # fmt: skip
        try:
            with closing(psycopg2.connect(dsn)):
                return ""
        except psycopg2.OperationalError as error:
            return str(error)

    def everything(self) -> tuple[str, bytes]:
        """Return all that the server holds of roles and of this database, and its rules' bytes."""
        dumped = ""
        for program, words in (("pg_dumpall", ["-g"]), ("pg_dump", ["--create", self.name])):
            done = subprocess.run(
                [str(self.site.binaries.program(program)), "-w", "-h", str(self.site.folder),
                 "-p", str(self.site.port), "-U", "postgres", *words],
                capture_output=True, encoding="utf-8", env=programs.environment(), check=True,
            )  # fmt: skip
            dumped += done.stdout
        # Newer minor releases put a random word there.
        return re.sub(r"\\(un)?restrict \S+", "", dumped), self.site.hba.read_bytes()

    def drop_database(self) -> None:
        """Drop the database, and end whoever is in it: by hand before 13."""
        if self.site.binaries.major >= 13:
            self.execute("drop database if exists {name} with (force)")
            return
        ends = "select pg_terminate_backend(pid) from pg_stat_activity where datname = '{}'"
        self.site.execute(ends.format(self.name))
        self.execute("drop database if exists {name}")

    def exists(self) -> list[str]:
        """Return which of role and database there are."""
        rows = self.site.query(
            f"select 'role' from pg_roles where rolname = '{self.name}' union all"
            f" select 'database' from pg_database where datname = '{self.name}'"
        )
        return [str(word) for (word,) in rows]

    def execute(self, statement: str, *, inside: bool = False) -> None:
        """Run a statement as the superuser; {name} stands for the role and the database."""
        name = sql.Identifier(self.name)
        with self.site.admin(self.name if inside else "postgres") as session:
            session.cursor().execute(sql.SQL(statement).format(name=name))


@contextmanager
def lab(site: Site, name: str) -> Iterator[Lab]:
    """Give an installation of its own, removed at the end."""
    made = Lab(site=site, name=name)
    try:
        yield made
    finally:
        made.drop_database()
        if "role" in made.exists():
            made.execute("drop owned by {name}")
            made.execute("drop role {name}")


def read_private(path: Path) -> str:
    """Return the text of a file that its owner alone may read."""
    assert path.stat().st_mode & 0o777 == 0o600
    return path.read_text("utf-8")

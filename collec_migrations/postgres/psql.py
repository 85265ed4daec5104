"""Ask a server by its own psql: no driver is needed."""

import subprocess
from dataclasses import replace

from collec_migrations.errors import ServerFailed
from collec_migrations.postgres import programs
from collec_migrations.postgres.address import Address
from collec_migrations.postgres.binaries import Binaries


def psql(binaries: Binaries, address: Address, script: str) -> str:
    """Run a script as the caller, and return its rows without any decoration."""
    from collec_migrations.postgres.prologue import FOR_PSQL  # it loads the driver: 0.05 s

    command = [str(binaries.program("psql")), "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", address.dsn]
    done = subprocess.run(
        command,
        input=FOR_PSQL + script,
        capture_output=True,
        encoding="utf-8",
        env=programs.environment() | {"PGCONNECT_TIMEOUT": "10"},
        cwd="/",
        check=False,
    )
    if done.returncode != 0:
        raise ServerFailed(
            f"the server in {address.host} does not answer as it should",
            hint=programs.last_words(done.stderr),
        )
    return done.stdout


def ensure_database(binaries: Binaries, address: Address) -> None:
    """Create the database of an address when it is not there."""
    maintenance = replace(address, dbname="postgres")
    psql(
        binaries,
        maintenance,
        f"select format('create database %I', name) from (values ('{address.dbname}')) v (name)"
        " where not exists (select from pg_database where datname = name)\n\\gexec\n",
    )

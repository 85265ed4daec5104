"""Words of other tools, and former ones of this one: each answers with what to type here."""

from collections.abc import Mapping, Sequence

COMMANDS: Mapping[str, str] = {
    # Flyway, Liquibase, dbmate, Sqitch, Alembic, Rails, Django
    "info": "status",
    "current": "status",
    "heads": "status",
    "show": "status",
    "version": "--version",
    "migrate": "upgrade",
    "update": "upgrade",
    "up": "upgrade",
    "deploy": "upgrade",
    "apply": "upgrade",
    "plan": "upgrade --plan",
    "dry-run": "upgrade --plan",
    "undo": "downgrade",
    "down": "downgrade",
    "rollback": "downgrade",
    "revert": "downgrade",
    "validate": "verify",
    "check": "verify",
    "diff": "verify",
    "drift": "verify",
    "repair": "verify --repair",
    "baseline": "adopt",
    "stamp": "adopt",
    "log": "history",
    "revision": "wrap",
    "new": "wrap",
    "add": "wrap",
    "create": "install",
    "createdb": "install",
    "setup": "install",
    "config": "app-config",
    "test": "rehearse",
    "rehearsal": "rehearse",
    # PostgreSQL, pgBackRest, Barman, repmgr, pg_auto_failover, Patroni
    "dump": "backup run",
    "pg_dump": "backup run",
    "snapshot": "backup run",
    "restore": "backup restore",
    "list": "backup list",
    "prune": "backup prune",
    "expire": "backup prune",
    "schedule": "backup schedule",
    "follow": "replica rejoin",
    "standby": "replica clone",
    "clone": "replica clone",
    "promote": "replica promote",
    "failover": "replica promote",
    "switchover": "replica switchover",
    "rejoin": "replica rejoin",
    "cluster": "replica status",
    "monitor": "doctor",
    "health": "doctor",
    "start": "server start",
    "stop": "server stop",
    "psql": "server psql",
    "help": "--help",
}
"""A command's name elsewhere, and what does it here."""

FORMER: Mapping[str, str] = {
    "archive show": "Read it with psql: select * from the table that `archive list` names.",
    "backup offsite": "Type: collec-migrations backup run --offsite COMMAND",
    "backup show": "Type: collec-migrations backup list --json",
    "server url": "Type: collec-migrations server start   it prints the address, and starts "
    "nothing that runs.",
    "server status": "Type: collec-migrations status",
}
"""Commands that were here once."""

ASKS = "The command asks; --yes does it without asking, --plan shows what would happen."
OPTIONS: Mapping[str, str] = {
    "--apply": f"Leave it out. {ASKS}",
    "--install": f"Leave it out. {ASKS}",
    "--write": "The application's files are not written: paste what is printed.",
    "--apply-hba": f"Leave it out: access rules are part of the installation. {ASKS}",
    "--local-only": "Leave it out: without --address the account comes from this machine alone.",
    "--dry-run": "Type --plan.",
    "--check-only": "Type --plan.",
    "--force-yes": "Type --yes.",
    "--svg": "Mermaid's own tools draw it: collec-migrations diagram | mmdc -i - -o FILE.svg",
    "--watch": "Type: watch collec-migrations replica status",
    "--every": "Type: watch -n SECONDS collec-migrations replica status",
    "--dsn": "Type --url.",
    "--dbname": "Type --url postgresql:///NAME.",
    "--host": "Type --url postgresql://HOST/NAME.",
    "--schema": "Type --col for the data schema, --gacl for the rights schema.",
    "--application-code": "Set COLLEC_APPLICATION_CODE, or collec.application_code in alembic.ini.",
    "--transaction": "Set COLLEC_TRANSACTION, or collec.transaction in alembic.ini.",
    "--lock-wait": "Set COLLEC_LOCK_WAIT, or collec.lock_wait in alembic.ini.",
    "--lock-timeout": "Set COLLEC_LOCK_TIMEOUT, or collec.lock_timeout in alembic.ini.",
    "--lock-retries": "Set COLLEC_LOCK_RETRIES, or collec.lock_retries in alembic.ini.",
}
"""Options of other tools, and former ones."""


def command(words: Sequence[str], program: str) -> str:
    """Return the hint for a command that is not here, or nothing."""
    former = FORMER.get(" ".join(words), "")
    here = COMMANDS.get(words[-1], "") if len(words) == 1 else ""
    return former or (f"Type: {program} {here}" if here else "")

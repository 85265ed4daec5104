"""Write settings of the server on trial: checked before it reads them, put back on any failure."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psycopg2

from collec_migrations.errors import (
    ConfigurationDenied,
    ConfigurationElsewhere,
    MigrationError,
    SettingsRefused,
    UsageError,
)
from collec_migrations.postgres import configuration, pg_versions, quoting
from collec_migrations.postgres.configuration import Block, Reconnect
from collec_migrations.postgres.connection import Connection, first_line

DEBIAN = Path("/etc/postgresql")
KNOWN = """
select name, vartype, coalesce(unit, ''), coalesce(min_val, ''), coalesce(max_val, ''),
       coalesce(enumvals, '{}'), context = 'postmaster'
from pg_catalog.pg_settings where name = any (%s::text[])
"""
FILES = """
select sourcefile, sourceline, name, setting, error from pg_catalog.pg_file_settings order by seqno
"""
PENDING = """
select name from pg_catalog.pg_settings where pending_restart and name = any (%s::text[])
"""
NEEDS_RESTART = "setting could not be applied"
TRUE_OR_FALSE = ("on", "off", "true", "false", "yes", "no", "1", "0")
BYTES = {"B": 1, "kB": 1024, "MB": 1024**2, "GB": 1024**3, "TB": 1024**4}
MILLISECONDS = {"us": 0.001, "ms": 1, "s": 1000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What pg_settings says of a setting."""

    name: str
    kind: str
    """`vartype`: bool, enum, integer, real, string."""
    unit: str
    low: str
    high: str
    choices: tuple[str, ...]
    restart: bool
    """Whether the server has to start again to take another value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A file that the server reads, and what it holds now."""

    file: Path
    whole: bool
    """Whether the file is ours alone."""
    old: str

    def text(self, name: str, settings: Mapping[str, str]) -> str:
        """Return what the file has to hold so that it gives these settings, too.

        Settings that the block gives already stay, unless these give them another value.
        """
        kept = configuration.inside_block(self.old, name).splitlines()
        lines = {line.partition("=")[0].strip(): line for line in kept}
        lines |= {
            key: f"{key} = {quoting.configuration_value(value)}" for key, value in settings.items()
        }
        ours = Block(name=name, lines=tuple(lines.values()))
        return ours.text if self.whole else ours.last_in(self.old)


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What became of the settings."""

    file: Path
    changed: bool
    copy: Path | None
    """The former file, when there was one and it was changed."""
    restart: tuple[str, ...]
    """Settings whose values wait for a restart of the server."""


def apply(
    connection: Connection,
    name: str,
    settings: Mapping[str, str],
    *,
    reconnect: Reconnect,
    prove: Callable[[], None] = lambda: None,
) -> Written:
    """Let the server's files give these settings, beside those of ours there already; reload.

    `connection` is a superuser's, `reconnect` opens another one like it; `prove` raises a
    MigrationError to take everything back. Values that need a restart are written and told, the
    server is never restarted. Raises UsageError for a setting or value that this server does not
    know, SettingsRefused, ConfigurationElsewhere and ConfigurationDenied (the hint holds the lines
    to paste).
    """
    known = _known(connection, settings)
    _refuse_unknown(known, settings, connection)
    try:
        found = _place(connection, name)
        file = found.file if found.whole else configuration.local(connection, found.file)
        new = found.text(name, settings)
        if new == found.old:
            return Written(file=file, changed=False, copy=None, restart=_pending(known, connection))
        restart = frozenset(name for name, setting in known.items() if setting.restart)
        copy = configuration.change(
            connection,
            file,
            configuration.encoded(new),
            reconnect=reconnect,
            check=partial(_check, connection, file, settings, restart),
            proofs=(prove,),
            refused=SettingsRefused,
            like=configuration.path(connection, "config_file"),
        )
    except (ConfigurationElsewhere, ConfigurationDenied, OSError) as error:
        raise _by_hand(error, settings) from error
    pending = _pending(known, connection)
    return Written(file=file, changed=True, copy=copy, restart=pending)


def _place(connection: Connection, name: str) -> Place:
    """Return where the settings go; the main file has to be this machine's in any case."""
    main = configuration.local(connection, configuration.path(connection, "config_file"))
    old = configuration.decoded(main.read_bytes())
    return find(main, name, old)


def _known(connection: Connection, settings: Mapping[str, str]) -> dict[str, Setting]:
    with connection.cursor() as cursor:
        cursor.execute(KNOWN, (list(settings),))
        rows = cursor.fetchall()
    if not connection.autocommit:
        connection.rollback()
    return {
        name: Setting(name=name, kind=kind, unit=unit, low=low, high=high,
                      choices=tuple(choices), restart=restart)
        for name, kind, unit, low, high, choices, restart in rows
    }  # fmt: skip


def _refuse_unknown(
    known: Mapping[str, Setting], settings: Mapping[str, str], connection: Connection
) -> None:
    for name, value in settings.items():
        if name not in known:
            major = connection.server_version // 10000
            raise UsageError(f"PostgreSQL {major} has no setting {name!r}")
        why = fault(known[name], value)
        if why:
            raise UsageError(f"{name} cannot be {value!r}: {why}")


def _check(
    connection: Connection, file: Path, settings: Mapping[str, str], restart: frozenset[str]
) -> None:
    """Raise SettingsRefused for what the server would not take, or not take from our file."""
    if not pg_versions.server_has(connection.server_version, "file_settings_view"):
        return
    with connection.cursor() as cursor:
        try:
            cursor.execute(FILES)
        except psycopg2.errors.InsufficientPrivilege as error:
            raise ConfigurationDenied(first_line(error), hint="Connect as a superuser.") from error
        finally:
            if not connection.autocommit:
                connection.rollback()
        rows = cursor.fetchall()
    for source, line, name, _, why in rows:
        # Both a value that waits for a restart and one that is refused "could not be applied".
        waits = why == NEEDS_RESTART and (name in restart or name not in settings)
        if why and not waits:
            raise SettingsRefused(f"{source}:{line}: {name or ''} {why}".replace(":  ", ": "))
    last = {name: (source, value) for source, _, name, value, _ in rows}
    for name, value in settings.items():
        source, given = last.get(name, ("", ""))
        if not source:
            raise SettingsRefused(f"the server does not read {file}")
        if given != value:
            raise SettingsRefused(
                f"{source} sets {name} again, to {given!r}",
                hint=f"Remove it there: alter system reset {name}, or edit the file.",
            )


def _pending(known: Mapping[str, Setting], connection: Connection) -> tuple[str, ...]:
    """Return the settings that wait for a restart; before 9.5 all that could."""
    restart = sorted(name for name, setting in known.items() if setting.restart)
    if not pg_versions.server_has(connection.server_version, "file_settings_view"):
        return tuple(restart)
    with connection.cursor() as cursor:
        cursor.execute(PENDING, (restart,))
        found = tuple(sorted(str(name) for (name,) in cursor.fetchall()))
    if not connection.autocommit:
        connection.rollback()
    return found


def _by_hand(error: Exception, settings: Mapping[str, str]) -> MigrationError:
    return configuration.by_hand(
        error,
        what="the server's settings",
        where="at the end of the server's postgresql.conf",
        lines="\n".join(
            f"{name} = {quoting.configuration_value(value)}" for name, value in settings.items()
        ),
    )


# Where settings of ours stand: a file in conf.d, or a block at the end of postgresql.conf --------


_INCLUDE_DIR = re.compile(r"^\s*include_dir\s*=?\s*'([^']+)'", re.MULTILINE | re.IGNORECASE)


def find(main: Path, name: str, old: str) -> Place:
    """Return the place for the settings `name`, given the main file and its text.

    A directory that the main file includes is taken when it exists, but not a new file in that of
    a Debian cluster: pg_dropcluster leaves it, and a later cluster of the same name would read it.
    """
    for found in _INCLUDE_DIR.finditer(old):
        folder = main.parent / found[1]
        file = folder / f"{name}.conf"
        if file.exists() or (folder.is_dir() and not main.is_relative_to(DEBIAN)):
            held = file.read_text("utf-8") if file.exists() else ""
            return Place(file=file, whole=True, old=held)
    return Place(file=main, whole=False, old=old)


# Whether the server takes a value: its own check cannot tell for what needs a restart ------------


def fault(setting: Setting, value: str) -> str:
    """Return why the server would refuse a value; empty when it takes it."""
    if setting.kind == "bool":
        return "" if value.lower() in TRUE_OR_FALSE else "it is on or off"
    if setting.kind == "enum":
        allowed = ", ".join(setting.choices)
        # Aliases such as wal_level = hot_standby are not listed, but the server knows them.
        known = value.lower() in (choice.lower() for choice in setting.choices)
        return "" if known or not setting.restart else f"it is one of {allowed}"
    if setting.kind not in ("integer", "real"):
        return ""
    number = _number(value, setting.unit)
    if number is None:
        return f"it is a number{f' in {setting.unit}' if setting.unit else ''}"
    if not float(setting.low) <= number <= float(setting.high):
        return f"it is between {setting.low} and {setting.high} {setting.unit}".rstrip()
    return ""


def _number(text: str, unit: str) -> float | None:
    """Return a number in the setting's own unit, such as 8kB; None when it is none."""
    digits = text.strip().rstrip("BkMGTusmindh ")
    suffix = text.strip()[len(digits) :].strip()
    try:
        number = float(int(digits, 0)) if "." not in digits else float(digits)
    except ValueError:
        return None
    if not suffix:
        return number
    scale = BYTES if unit.endswith("B") else MILLISECONDS
    base = unit.lstrip("0123456789")
    if suffix not in scale or base not in scale:
        return None
    return number * scale[suffix] / (scale[base] * int(unit[: -len(base)] or 1))

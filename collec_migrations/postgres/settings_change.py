"""Write settings of the server on trial: checked before it reads them, put back on any failure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg2

from collec_migrations.errors import (
    ConfigurationDenied,
    ConfigurationElsewhere,
    ConfigurationNotRestored,
    MigrationError,
    SettingsRefused,
    UsageError,
)
from collec_migrations.postgres import (
    config_trial,
    configuration,
    hba_file,
    settings_check,
    settings_place,
)
from collec_migrations.postgres import hba_change as hba
from collec_migrations.postgres.configuration import Reconnect
from collec_migrations.postgres.connection import Connection, first_line
from collec_migrations.postgres.settings_check import Setting

VIEW_SINCE = 90500
"""PostgreSQL 9.5 brought pg_file_settings, which reads the files and not what is in force."""

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
    know, SettingsRefused, NotHere and NotAllowed (with the lines to paste in the hint).
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
        content = hba_file.encoded(new)
        copy = _on_trial(connection, file, content, settings, restart, reconnect, prove)
    except (ConfigurationElsewhere, ConfigurationDenied, OSError) as error:
        raise _by_hand(error, settings) from error
    pending = _pending(known, connection)
    return Written(file=file, changed=True, copy=copy, restart=pending)


def _place(connection: Connection, name: str) -> settings_place.Place:
    """Return where the settings go; the main file has to be this machine's in any case."""
    main = configuration.local(connection, configuration.path(connection, "config_file"))
    old = hba_file.decoded(main.read_bytes())
    return settings_place.find(main, name, old, version=connection.server_version)


def _on_trial(
    connection: Connection,
    file: Path,
    content: bytes,
    settings: Mapping[str, str],
    restart: frozenset[str],
    reconnect: Reconnect,
    prove: Callable[[], None],
) -> Path | None:
    try:
        with config_trial.on_trial(
            file, content, reader=hba.reader(connection), like=configuration.path(
                connection, "config_file")
        ) as copy:  # fmt: skip
            _check(connection, file, settings, restart)
            configuration.reload(connection, reconnect)
            prove()
            return copy
    except ConfigurationNotRestored:
        raise
    except MigrationError as error:
        configuration.reload_if_possible(connection, reconnect)
        raise SettingsRefused(f"{error}; {file} is as it was", hint=error.hint) from error
    except BaseException:
        configuration.reload_if_possible(connection, reconnect)
        raise


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
        why = settings_check.fault(known[name], value)
        if why:
            raise UsageError(f"{name} cannot be {value!r}: {why}")


def _check(
    connection: Connection, file: Path, settings: Mapping[str, str], restart: frozenset[str]
) -> None:
    """Raise SettingsRefused for what the server would not take, or not take from our file."""
    if connection.server_version < VIEW_SINCE:
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
    if connection.server_version < VIEW_SINCE:
        return tuple(restart)
    with connection.cursor() as cursor:
        cursor.execute(PENDING, (restart,))
        found = tuple(sorted(str(name) for (name,) in cursor.fetchall()))
    if not connection.autocommit:
        connection.rollback()
    return found


def _by_hand(error: Exception, settings: Mapping[str, str]) -> MigrationError:
    why = configuration.told(error)
    hint = f"{error.hint} Or put" if isinstance(error, MigrationError) and error.hint else "Put"
    lines = "\n".join(
        f"{name} = {settings_place.quoted(value)}" for name, value in settings.items()
    )
    kind = (
        type(error)
        if isinstance(error, ConfigurationElsewhere | ConfigurationDenied)
        else ConfigurationElsewhere
    )
    return kind(
        f"the server's settings were not written: {why}",
        hint=f"{hint} these lines at the end of the server's postgresql.conf, then run "
        f"`select pg_reload_conf()`:\n{lines}",
    )

"""A step by a script of the application's own: as it is, in the run's transaction, told after."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg2
from alembic.runtime.migration import RevisionStep
from psycopg2.extensions import cursor as Cursor  # noqa: N812  (a class in psycopg2)

from collec_migrations import sql, versions
from collec_migrations.bridge import ownership
from collec_migrations.catalog import Catalog, compare
from collec_migrations.errors import BackupMissing, DowngradeRefused, ScriptChanged
from collec_migrations.migrate import sending
from collec_migrations.migrate.sinks import Sink
from collec_migrations.names import Names
from collec_migrations.postgres import files, privileges, quoting

if TYPE_CHECKING:  # a run without a wrapped step does not load that room
    from collec_migrations import wrap

NO_BACKUP = "no backup was taken"
"""The remark in the history that lets a step without a way back run without a backup."""

ON_A_COPY = "on a copy"
"""The remark of a run on a database that is thrown away: no backup, and no facts of the site."""

ACCOUNT = "collec"
"""The application's account, by the name that its scripts give it."""

DEFAULT_PATH = ("col", "gacl", "public")
"""What a script that sets no search path runs under, as the application's own connections do."""

_SETTINGS = (
    *("search_path", "check_function_bodies", "client_min_messages", "lock_timeout"),
    *("statement_timeout", "default_tablespace", "TimeZone", "DateStyle", "bytea_output"),
)
"""Settings that are put back after a script, with those that it sets by SET."""
_SET = re.compile(r"set\s+(?:session\s+|local\s+)?(\w+)", re.IGNORECASE)
_PATH = re.compile(
    r"set\s+(?:session\s+|local\s+)?search_path\s*(?:=|to)\s*(?!default\b|''|\"\")", re.IGNORECASE
)
_EXTENSION = re.compile(r"create\s+extension\s+(?:if\s+not\s+exists\s+)?\"?([\w-]+)", re.IGNORECASE)


def starting_path(names: Names) -> str:
    """Return the path for a script that may set none."""
    bound = names.by_default_name
    return ", ".join(quoting.identifier(bound.get(name, name)) for name in DEFAULT_PATH)


def refuse_way_back(steps: Sequence[Any]) -> None:
    """Raise `DowngradeRefused` when one of Alembic's steps goes back from a wrapped version."""
    for step in steps:
        if step.is_downgrade and hasattr(_module(step), "checksum"):
            raise no_way_back(_module(step).script)


def refuse_unsaved(steps: Sequence[Any], remark: str) -> None:
    """Raise `BackupMissing` for a step that has no way back, when no remark tells of a backup.

    A fresh database holds nothing that a backup could bring back.
    """
    if not all(isinstance(step, RevisionStep) and step.is_upgrade for step in steps):
        return
    wrapped = [step for step in steps if is_wrapped(step)]
    if wrapped and not remark and steps[0].from_revisions_no_deps:
        raise BackupMissing(
            f"{_module(wrapped[0]).script} has no way back, and no backup was taken",
            hint="Use `collec-migrations upgrade --backup DIR`, which takes one and verifies it; "
            "or give -x backup=no (`upgrade --no-backup`).",
        )


def is_wrapped(step: Any) -> bool:
    """Say whether a step runs a script of the application's own."""
    return hasattr(_module(step), "checksum")


def _module(step: Any) -> Any:
    return getattr(getattr(step, "revision", None), "module", None)


def no_way_back(script: str) -> DowngradeRefused:
    """Return the refusal to go back from what a script of the application's own did."""
    return DowngradeRefused(
        f"there is no way back from what {script} did; nothing was applied",
        hint="Restore the backup that was taken before the upgrade.",
    )


@dataclass(kw_only=True)
class WrappedStep:
    """One wrapped step of a run for one pair of schemas."""

    version: str
    script: "wrap.Script"
    names: Names
    whole: bool
    """False: the rights schema is that far already, only the data schema's part is sent."""
    lines: list[str] = field(default_factory=list)
    """What the user is told once everything is committed."""
    catalog: Catalog | None = None
    """What the schemas hold after it."""

    def send(self, sink: Sink) -> None:
        """Send everything, look at what went, put the session's settings back."""
        from collec_migrations import wrap

        seen: list[wrap.Look] = []
        known: list[tuple[dict[str, str], dict[str, str]]] = []

        def look(cursor: Cursor) -> None:
            seen.append(wrap.look(cursor, self.names, seen[0] if seen else None))

        sink.inspect(look)
        sink.inspect(lambda cursor: known.append(_surroundings(cursor, self.names)))
        owners, homes = known[0] if known else ({"gacl": "", "col": ""}, {})
        saved = (*_SETTINGS, *sorted(self._settings()))
        sink.execute(_copied(saved, target="collec_saved.{}", source="{}"))
        path: tuple[str, ...] = DEFAULT_PATH
        for part in self.script.parts:
            path = DEFAULT_PATH if part.begins_session else path
            if part.begins_session:
                start = f"set search_path = {starting_path(self.names)}"
                sink.execute(f"{reaching(start, homes)};")
            text = part.sql if self.whole else sql.part(part.sql, "col", path)
            path = sql.search_path(part.sql, path)
            text = sql.with_account(text, ACCOUNT, owners)
            bound = sql.bind(text, self.names.by_default_name, shown=part.source.shown)
            bound = reaching(bound, homes)
            shown = part.source.shown
            for piece, extension in apart(bound, homes):
                if extension is None:
                    sink.send(f"{piece}\n;", shown=shown)
                    continue
                try:
                    sink.execute(piece)
                except psycopg2.Error as error:
                    raise sending.failure(bound, extension, error, shown=shown) from error
        sink.execute(_copied(saved, target="{}", source="collec_saved.{}"))
        sink.inspect(look)
        if seen:
            before, after = seen
            self.lines += [f"{self.version}: {line}" for line in wrap.told(before, after)]
            self.catalog = after.catalog

    def _settings(self) -> set[str]:
        known = {name.lower() for name in (*_SETTINGS, "transaction", "constraints")}
        found = (_SET.match(one.text) for part in self.script.parts for one in part.statements)
        return {name for one in found if one and (name := one[1].lower()) not in known}


def read(
    names: str, checksum: str, variables: Mapping[str, str], folders: Sequence[Path]
) -> "wrap.Script":
    """Return the script of a revision: each of its files from the first folder that has it."""
    files = tuple(_found(name, folders) for name in names.split(", "))
    script = _read(files, tuple(sorted(variables.items())), tuple(map(_stamp, files)))
    if script.checksum != checksum:
        raise ScriptChanged(
            f"{', '.join(map(str, files))}: the script changed since it was wrapped",
            hint="Put the file back as it was, or remove it and its revision and wrap it again.",
        )
    return script


@cache
def _read(
    files: tuple[Path, ...], variables: tuple[tuple[str, str], ...], _stamps: tuple[object, ...]
) -> "wrap.Script":
    from collec_migrations import wrap

    return wrap.read_script(files, dict(variables))


def _stamp(path: Path) -> tuple[int, int] | None:
    return (path.stat().st_mtime_ns, path.stat().st_size) if path.is_file() else None


def _found(name: str, folders: Sequence[Path]) -> Path:
    places = [(folder / name).absolute() for folder in folders]
    return next((place for place in places if place.is_file()), places[0])


def _surroundings(cursor: Cursor, names: Names) -> tuple[dict[str, str], dict[str, str]]:
    """Return who owns each schema's objects, by default name, and the extensions there are."""
    held = ownership.read(cursor, (names.gacl, names.col))
    owners = {"gacl": held[names.gacl].owner(), "col": held[names.col].owner()}
    return owners, dict(privileges.read_extensions(cursor).installed)


def reaching(text: str, installed: Mapping[str, str]) -> str:
    """Return a script whose search paths end with the schemas of extensions.

    A script expects them where its author had them; what it names itself is still found first.
    """
    homes = sorted({*installed.values()} - {"pg_catalog"})
    if not homes or not _PATH.search(text):
        return text
    for one in reversed(sql.split(text)):
        if _PATH.match(one.text):
            listed = "".join(f", {quoting.identifier(home)}" for home in homes)
            text = text[: one.end] + listed + text[one.end :]
    return text


def apart(text: str, present: Collection[str]) -> Iterator[tuple[str, sql.Statement | None]]:
    """Yield a script in pieces, each line where it was: the making of an extension by itself.

    It needs other rights than the rest. One that is there, in whatever schema, is not made again.
    """
    done = 0
    for one in sql.split(text) if _EXTENSION.search(text) else ():
        if found := _EXTENSION.match(one.text):
            yield "\n" * text.count("\n", 0, done) + text[done : one.offset], None
            done = one.end
            if found[1] not in present:
                yield one.text, one
    yield "\n" * text.count("\n", 0, done) + text[done:], None


def _copied(names: Sequence[str], *, target: str, source: str) -> str:
    calls = ", ".join(
        f"pg_catalog.set_config({quoting.literal(target.format(name))},"
        f" pg_catalog.current_setting({quoting.literal(source.format(name))}), false)"
        for name in names
    )
    return f"select {calls};"


def keep_facts(version: str, found: Catalog, say: Callable[[str], None]) -> None:
    """Keep what a version holds as the site's own facts, beside the copies of its scripts.

    Where another database of the site gave these facts before, tell how this one differs.
    """
    path = versions.site_folder() / f"{version}.json"
    known = versions.site_catalog(version)
    if known is not None:
        drift = compare(expected=known, observed=found)
        if drift:
            count = len(drift.missing) + len(drift.extra)
            say(f"{version} is not as in {path}: {count} differences; see `verify`")
        return
    try:
        files.write_public(path, found.to_json().encode())
    except OSError as error:
        say(f"warning: {path} cannot be written: {error.strerror}; {version} stays unknown")

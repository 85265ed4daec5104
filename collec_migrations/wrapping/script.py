"""A step's script as the tool runs it: its statements in order, includes followed. Pure reading."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pglast import parse_sql

from collec_migrations import scripts, versions
from collec_migrations.errors import ScriptUnreadable
from collec_migrations.scripts import Statement, roles
from collec_migrations.versions import Source
from collec_migrations.wrapping import psql, reading, screening
from collec_migrations.wrapping.psql import Command
from collec_migrations.wrapping.screening import Finding, Verdict

DEFAULT_PATH = ("col", "gacl", "public")
"""What a script that sets no search path runs under, as the application's own connections do."""

DEEPEST = 10
"""Includes within includes."""


class ScriptRefused(ScriptUnreadable):
    """A script holds what cannot run inside the tool."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A statement that is to be run."""

    statement: Statement
    tree: Any
    """The parser's node."""
    source: Source
    search_path: tuple[str, ...]
    """What is in force before it."""
    sql: str
    """The whole text of its file without meta-commands."""
    number: int
    """Among all statements of its file, dropped ones too."""
    session: int
    """Which session of psql would run it: one for each file that is no include."""

    @property
    def place(self) -> str:
        """File and line."""
        return f"{self.source.shown}:{self.statement.line}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """What the files of one step say."""

    sources: tuple[Source, ...]
    """The files in the order in which they are first read, included ones too."""
    items: tuple[Item, ...]
    findings: tuple[Finding, ...]

    @property
    def checksum(self) -> str:
        """SHA-256 of all texts, blind to line ends and to byte-order marks."""
        return versions.checksum("\n".join(source.checksum for source in self.sources))

    def refuse(self) -> None:
        """Raise `ScriptRefused` that names all that cannot run inside the tool."""
        refused = [str(one) for one in self.findings if one.verdict is Verdict.REFUSED]
        if refused:
            raise ScriptRefused(
                "\n".join(refused),
                hint="Run that by hand where it is needed, and wrap a copy of the script "
                "without it.",
            )


@dataclass(slots=True)
class _Reader:
    sources: dict[Path, Source] = field(default_factory=dict)
    items: list[Item] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    search_path: tuple[str, ...] = DEFAULT_PATH
    session: int = 0
    databases: set[str] = field(default_factory=set)


def read(paths: Sequence[Path]) -> Script:
    """Return the script of one step; raise `ScriptUnreadable` with file and line."""
    reader = _Reader()
    for session, path in enumerate(paths):
        reader.search_path, reader.session = DEFAULT_PATH, session
        _file(reader, path, depth=0)
    return Script(
        sources=tuple(reader.sources.values()),
        items=tuple(reader.items),
        findings=tuple(reader.findings),
    )


def _file(reader: _Reader, path: Path, *, depth: int) -> None:
    """Read a file's statements, and those of what it includes where it does."""
    source = reader.sources.setdefault(path, reading.load(path))
    found = psql.commands(source.text)
    data = psql.data_line(source.text)
    if data is not None:
        raise ScriptRefused(
            f"{source.shown}:{data}: copy from stdin is refused: its data are no statements",
            hint="Write the rows as INSERT.",
        )
    waiting = list(found)
    sql = psql.without(source.text, found)
    for number, (statement, tree) in enumerate(_statements(source, sql)):
        while waiting and waiting[0].start < statement.offset:
            _command(reader, source, waiting.pop(0), depth=depth)
        if waiting and waiting[0].start < statement.end:
            raise ScriptRefused(
                f"{source.shown}:{waiting[0].line}: {waiting[0]} stands inside a statement"
            )
        if not _dropped(reader, source, statement, tree):
            item = Item(
                statement=statement,
                tree=tree,
                source=source,
                search_path=reader.search_path,
                sql=sql,
                number=number,
                session=reader.session,
            )
            reader.items.append(item)
            reader.search_path = roles.path_after(statement.text, reader.search_path)
    for command in waiting:
        _command(reader, source, command, depth=depth)


def _statements(source: Source, sql: str) -> Iterator[tuple[Statement, Any]]:
    try:
        found = scripts.split(sql)
    except ScriptUnreadable as error:
        raise reading.placed(error, source) from None
    trees = parse_sql(sql) if found else ()
    for statement, tree in zip(found, trees, strict=True):
        yield statement, tree.stmt


def _dropped(reader: _Reader, source: Source, statement: Statement, tree: Any) -> bool:
    """Say whether a statement does not run as it is, and note why."""
    judged = screening.of_statement(tree)
    if judged is None:
        return False
    what, verdict, reason = judged
    reader.findings.append(
        Finding(
            shown=source.shown,
            line=statement.line,
            what=what,
            reason=reason,
            verdict=verdict,
        )
    )
    return True


def _command(reader: _Reader, source: Source, command: Command, *, depth: int) -> None:
    """Follow an include; judge any other meta-command."""
    if command.name in screening.INCLUDES and command.arguments:
        if depth >= DEEPEST:
            raise ScriptRefused(f"{source.shown}:{command.line}: {command} goes round in circles")
        _file(reader, included(source.path.parent, command), depth=depth + 1)
        return
    verdict, reason = screening.of_command(command)
    if command.name in screening.CONNECTS:
        reader.databases.update(command.arguments[:1])
        if len(reader.databases) > 1:
            verdict, reason = Verdict.REFUSED, "the run stays in one database"
    finding = Finding(
        shown=source.shown,
        line=command.line,
        what=str(command),
        reason=reason,
        verdict=verdict,
    )
    reader.findings.append(finding)


def included(folder: Path, command: Command) -> Path:
    """Return the file that an include means: by its path, or beside the script once copied."""
    named = folder / command.arguments[0]
    return named if named.is_file() else folder / named.name

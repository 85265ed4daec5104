"""A script written for psql as a run sends it: includes followed, psql's own commands carried out,
what cannot run inside one transaction of this tool refused with file and line."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pglast import parse_sql

from collec_migrations import sql, versions
from collec_migrations.errors import ScriptRefused, ScriptUnreadable
from collec_migrations.postgres import files
from collec_migrations.sql import Statement
from collec_migrations.versions import Source
from collec_migrations.wrap.encoding import UTF_8, decode

DEEPEST = 10
"""Includes within includes."""

_TOKEN = re.compile(
    r"""--[^\n]*
      | (?P<comment>/\*)
      | \b[eE]'(?:[^'\\]|\\.|'')*'
      | '(?:[^']|'')*'
      | "(?:[^"]|"")*"
      | (?<![\w$])\$(?P<tag>(?:[^\W\d]\w*)?)\$.*?\$(?P=tag)\$
      | \\(?P<command>[^\n]*)
      | (?<!:):(?P<quote>['"]?)(?P<variable>\w+)(?P=quote)
    """,
    re.VERBOSE | re.DOTALL,
)
_COMMENT = re.compile(r"/\*|\*/")
_WORD = re.compile(r"""'((?:[^']|'')*)'|"((?:[^"]|"")*)"|(\S+)""")
_COPY = re.compile(r"^[ \t]*copy\b[^;]*?\bfrom\s+stdin\b", re.IGNORECASE | re.MULTILINE)

_INCLUDES = frozenset({"i", "include", "ir", "include_relative"})
_IGNORED = frozenset(
    {"echo", "qecho", "warn", "timing", "pset", "t", "a", "x", "conninfo", "encoding", "restrict",
     "unrestrict", "errverbose", "H", "f", "C", "T", "l", "z", "sf", "sv"}
)  # fmt: skip
"""Meta-commands that show something, or change how it is shown, or guard psql itself."""
_OF_PSQL = frozenset(
    {"ON_ERROR_STOP", "ON_ERROR_ROLLBACK", "VERBOSITY", "QUIET", "ECHO", "ECHO_HIDDEN",
     "SHOW_CONTEXT", "HIDE_TABLEAM", "AUTOCOMMIT", "SINGLELINE", "ENCODING", "FETCH_COUNT"}
)  # fmt: skip
"""Variables that psql itself reads; any other is meant for the script's own text."""

_PLAIN = re.compile(
    r"(?:insert|update|delete|comment|select|with|grant|revoke|do"
    r"|alter\s+(?:table|sequence|view|index|function|type|domain|schema)"
    r"|create\s+(?:or\s+replace\s+)?(?:table|view|function|sequence|type|domain|trigger)"
    r"|create\s+(?:unique\s+)?index\s+(?!concurrently\b)"
    r"|drop\s+(?:table|view|sequence|function|type|domain|trigger))\b",
    re.IGNORECASE,
)
"""Beginnings of statements that run as they are: no tree of them has to be looked at."""
_OF_SERVER = re.compile(
    r"\b(?:pg_read_(?:binary_)?file|pg_ls_\w+|pg_stat_file|pg_file_\w+|lo_import|lo_export|"
    r"pg_reload_conf|pg_terminate_backend)\s*\("
    r"|\bcopy\b[^;]*?\b(?:from|to)\s+(?:program\b|e?'|\$)"
    r"|\bset\s+(?:local\s+|session\s+)?(?:role|session\s+authorization)\b"
    r"|\breset\s+(?:role|session\s+authorization)\b"
    r"|\bset_config\s*\(\s*'(?:role|session_authorization)'",
    re.IGNORECASE,
)
"""What reads or writes the server's files, runs its programs, or takes other rights, in bodies too.
A run has only the rights of the schemas' owner; this is to say so before."""

_NO_PART = {
    "CreateRoleStmt": "create role", "AlterRoleStmt": "alter role", "DropRoleStmt": "drop role",
    "AlterRoleSetStmt": "alter role", "CreatedbStmt": "create database",
    "DropdbStmt": "drop database", "AlterDatabaseStmt": "alter database",
    "AlterDatabaseSetStmt": "alter database", "CreateTableSpaceStmt": "create tablespace",
    "DropTableSpaceStmt": "drop tablespace", "AlterSystemStmt": "alter system",
    "CreateSubscriptionStmt": "create subscription", "DropSubscriptionStmt": "drop subscription",
    "LoadStmt": "load",
}  # fmt: skip
_ALONE = "it cannot run inside a transaction"
_ONE = "the run is one transaction"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Statements that are sent together: a file, or what stands between two of its includes."""

    source: Source
    sql: str
    """Each statement on the line where the file has it."""
    statements: tuple[Statement, ...]
    begins_session: bool
    """Whether psql would be started anew for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """What the files of one step say."""

    sources: tuple[Source, ...]
    """The files in the order in which they are first read, included ones too."""
    parts: tuple[Part, ...]
    notes: tuple[str, ...]
    """What is not run, and encodings other than UTF-8: `file:line: ...`."""
    extensions: tuple[str, ...]
    """The extensions that it makes."""
    encoding: str
    """What its files are read as; several with commas."""

    @property
    def checksum(self) -> str:
        """SHA-256 of all texts, blind to line ends and to byte-order marks."""
        return versions.checksum("\n".join(source.checksum for source in self.sources))

    @property
    def size(self) -> int:
        """How many statements it has."""
        return sum(len(part.statements) for part in self.parts)


def read(paths: Sequence[Path], variables: Mapping[str, str] | None = None) -> Script:
    """Return the script of one step; `variables` are what psql would be given by `-v`.

    Raise `ScriptRefused` that names all that cannot run, `ScriptUnreadable` where it is no SQL.
    """
    reader = _Reader(variables=dict(variables or {}))
    for path in paths:
        reader.starts, reader.folder = True, path.parent
        reader.file(path, depth=0)
    if reader.refused:
        raise ScriptRefused(
            "\n".join(reader.refused),
            hint="Run that by hand where it is needed, and wrap a copy of the script without it.",
        )
    return Script(
        sources=tuple(reader.sources.values()),
        parts=tuple(reader.parts),
        notes=tuple(reader.notes),
        extensions=tuple(dict.fromkeys(reader.extensions)),
        encoding=", ".join(dict.fromkeys(reader.encodings)),
    )


@dataclass(slots=True)
class _Reader:
    variables: dict[str, str]
    sources: dict[Path, Source] = field(default_factory=dict)
    parts: list[Part] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    extensions: list[str] = field(default_factory=list)
    encodings: list[str] = field(default_factory=list)
    databases: set[str] = field(default_factory=set)
    starts: bool = True
    folder: Path = Path()
    """Of the script that includes; whoever wrote it may have no other file of ours read."""

    def file(self, path: Path, *, depth: int) -> None:
        """Read a file, and what it includes where it does."""
        source = self._load(path)
        text, done, pieces = source.text, 0, list[str]()
        for token in _tokens(text):
            line = sql.line_at(text, token.start())
            pieces.append(text[done : token.start()])
            done = token.end()
            if token["variable"]:
                pieces.append(self._value(token))
                continue
            name, words = _command(token["command"])
            if name in _INCLUDES and words:
                if depth >= DEEPEST:
                    raise ScriptRefused(f"{source.shown}:{line}: \\{name} goes round in circles")
                self._add(source, "".join(pieces))
                # The lines of what follows are counted on from here.
                pieces = ["\n" * text.count("\n", 0, done)]
                included = _included(path.parent, words[0])
                if not included.resolve().is_relative_to(self.folder.resolve()):
                    raise ScriptRefused(
                        f"{source.shown}:{line}: {words[0]} is outside the script's folder",
                        hint="Put a copy of it beside the script.",
                    )
                self.file(included, depth=depth + 1)
            else:
                self._judge_command(f"{source.shown}:{line}", name, words)
        self._add(source, "".join([*pieces, text[done:]]))

    def _load(self, path: Path) -> Source:
        shown = str(Path(path.parent.name) / path.name)  # none of the current folder
        if path not in self.sources:
            try:
                data = files.read(path)
            except OSError as error:
                message = f"cannot read the script {path}: {error.strerror}"
                raise ScriptUnreadable(message) from None
            text, encoding = decode(data, shown)
            self.sources[path] = Source(name=path.name, path=path, text=text)
            self.encodings.append(encoding)
            if encoding != UTF_8:
                self.notes.append(f"{shown}: it is read as {encoding}")
        return self.sources[path]

    def _value(self, token: re.Match[str]) -> str:
        """Return what psql would put in place of a variable: as it is, a literal or a name."""
        value = self.variables.get(token["variable"])
        if value is None:
            return token[0]
        quote = token["quote"]
        return quote + value.replace(quote, quote * 2) + quote if quote else value

    def _judge_command(self, place: str, name: str, words: Sequence[str]) -> None:
        """Carry out a meta-command, leave it out and say so, or refuse it."""
        shown = " ".join((f"\\{name}", *words))
        if name == "set" and words and words[0] not in _OF_PSQL:
            self.variables[words[0]] = "".join(words[1:])
        elif name == "unset" and words:
            self.variables.pop(words[0], None)
        elif name in ("c", "connect") and len(self.databases | {*words[:1]} - {"-"}) < 2:
            self.databases |= {*words[:1]} - {"-"}
            self.notes.append(f"{place}: {shown}: left out, the run is connected already")
        elif name in _IGNORED or name == "set" or name.startswith("d"):
            self.notes.append(f"{place}: {shown}: left out, it concerns psql alone")
        elif name == ".":
            self.refused.append(f"{place}: the rows of `copy ... from stdin` are no statements")
        else:
            self.refused.append(f"{place}: {shown}: only psql can do it")

    def _add(self, source: Source, text: str) -> None:
        """Add the statements of a text, without those that are left out."""
        try:
            found = sql.split(text)
        except ScriptUnreadable as error:
            raise _placed(error, source, text) from None
        kept: list[Statement] = []
        for match in _OF_SERVER.finditer(text):
            line = sql.line_at(text, match.start())
            what = " ".join(match[0].split())
            self.refused.append(
                f"{source.shown}:{line}: {what}: it needs other rights than a schema's owner has"
            )
        for statement in found:
            if self._is_kept(source, statement):
                kept.append(statement)
        if kept:
            self.parts.append(
                Part(
                    source=source,
                    sql=_only(text, found, kept),
                    statements=tuple(kept),
                    begins_session=self.starts,
                )
            )
            self.starts = False

    def _is_kept(self, source: Source, statement: Statement) -> bool:
        """Say whether a statement is run as it is; note or refuse it otherwise."""
        if _PLAIN.match(statement.text):
            return True
        tree: Any = parse_sql(statement.text)[0].stmt
        if type(tree).__name__ == "CreateExtensionStmt":
            self.extensions.append(tree.extname)
        place = f"{source.shown}:{statement.line}"
        what, why = _left_out(tree)
        if what:
            self.notes.append(f"{place}: {what}: left out, {why}")
            return False
        what, why = _refused(tree)
        if what:
            self.refused.append(f"{place}: {what}: {why}")
        return True


def _tokens(text: str) -> Iterator[re.Match[str]]:
    """Yield the meta-commands and variables of a script, found by psql's own rules."""
    if "\\" not in text and ":" not in text:
        return
    position = 0
    while token := _TOKEN.search(text, position):
        position = token.end()
        if token["comment"]:
            position = _after_comment(text, position)
        elif token["command"] is not None or token["variable"]:
            yield token


def _after_comment(text: str, position: int) -> int:
    """Return where a comment ends, which may hold others (PostgreSQL manual, 4.1.5)."""
    depth = 1
    for mark in _COMMENT.finditer(text, position):
        depth += 1 if mark[0] == "/*" else -1
        if depth == 0:
            return mark.end()
    return len(text)


def _command(written: str) -> tuple[str, tuple[str, ...]]:
    """Return the name of a meta-command, without the backslash, and its arguments."""
    name = re.match(r"[a-zA-Z_]+|\S?", written)
    assert name is not None
    words = _WORD.finditer(written[name.end() :].rstrip("\r"))
    return name[0], tuple((w[1] or w[2] or w[3] or "").replace("''", "'") for w in words)


def _included(folder: Path, name: str) -> Path:
    """Return the file that an include means: by its path, or beside the script once copied."""
    named = folder / name
    return named if named.is_file() else folder / named.name


def _placed(error: ScriptUnreadable, source: Source, text: str) -> ScriptUnreadable:
    """Return an error about a text as one about its file, or the reason why it does not parse."""
    found = re.fullmatch(r"line (\d+): (.*)", str(error), re.DOTALL)
    line, message = (int(found[1]), found[2]) if found else (0, str(error))
    copy = next((one for one in _COPY.finditer(text) if sql.line_at(text, one.end()) < line), None)
    if copy:
        return ScriptRefused(
            f"{source.shown}:{sql.line_at(text, copy.start())}: copy from stdin:"
            " its rows are no statements",
            hint="Write the rows as INSERT in a copy of the script.",
        )
    place = f"{source.shown}:{line}" if line else source.shown
    return ScriptUnreadable(f"{place}: {message}", hint=error.hint)


def _only(text: str, found: Sequence[Statement], kept: Sequence[Statement]) -> str:
    """Return a text with the statements that are not kept blanked, each line where it was."""
    wanted = {statement.offset for statement in kept}
    pieces, done = [], 0
    for statement in found:
        if statement.offset not in wanted:
            pieces += [text[done : statement.offset], "\n" * statement.text.count("\n")]
            done = statement.end
    return "".join([*pieces, text[done:]])


Reason = tuple[str, str]
"""What a statement is, and why it does not run as it is; empty: it does."""


def _left_out(tree: Any) -> Reason:
    kind = type(tree).__name__
    if kind == "TransactionStmt":
        what = tree.kind.name.removeprefix("TRANS_STMT_")
        return (what.lower(), _ONE) if what in ("BEGIN", "START", "COMMIT") else ("", "")
    if kind == "VariableSetStmt" and tree.name in ("client_encoding", "names"):
        return f"set {tree.name}", "the script is sent in UTF-8"
    return "", ""


def _refused(tree: Any) -> Reason:
    kind = type(tree).__name__
    if kind == "TransactionStmt":
        return tree.kind.name.removeprefix("TRANS_STMT_").lower().replace("_", " "), _ONE
    if kind in _NO_PART:
        return _NO_PART[kind], "it is no part of a schema"
    if kind == "DiscardStmt" or (kind == "VacuumStmt" and tree.is_vacuumcmd):
        return kind.removesuffix("Stmt").lower(), _ALONE
    if kind == "VariableSetStmt":
        return _refused_setting(tree)
    if kind in ("IndexStmt", "DropStmt") and tree.concurrent:
        return f"{kind.removesuffix('Stmt').lower()} concurrently", _ALONE
    if kind == "ReindexStmt" and (
        tree.kind.name.endswith(("SCHEMA", "SYSTEM", "DATABASE"))
        or any(one.defname == "concurrently" for one in tree.params or ())
    ):
        return "reindex", _ALONE
    if kind == "ClusterStmt" and tree.relation is None:
        return "cluster", _ALONE
    if kind == "CopyStmt" and tree.is_from and tree.filename is None:
        return "copy from stdin", "its rows are no statements"
    return "", ""


def _refused_setting(tree: Any) -> Reason:
    name = tree.name or ""
    if name.startswith(("TRANSACTION", "SESSION CHARACTERISTICS")):
        return "set transaction", _ONE
    values = [str(getattr(one.val, "sval", one.val)).lower() for one in tree.args or ()
              if hasattr(one, "val")]  # fmt: skip
    if name == "standard_conforming_strings" and {"off", "false", "0"}.intersection(values):
        return f"set {name}", "the parser takes backslashes as they are"
    return "", ""

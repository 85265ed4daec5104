"""The rules of pg_hba.conf: read as the server does, and a block of ours put above, on trial."""

import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import partial
from pathlib import Path

import psycopg2

from collec_migrations.errors import (
    ConfigurationDenied,
    ConfigurationElsewhere,
    HbaRefused,
    HbaUnreadable,
    MigrationError,
)
from collec_migrations.postgres import configuration, pg_versions
from collec_migrations.postgres.configuration import Block, Reconnect
from collec_migrations.postgres.connection import Connection, first_line

"""From 14 on a backslash at the end goes on in the next line (release notes)."""
BLANKS = " \t\r"


@dataclass(frozen=True, slots=True)
class Token:
    """One word; a quoted one is never a keyword."""

    text: str
    quoted: bool = False

    def is_keyword(self, word: str) -> bool:
        """Tell whether it is this keyword and not a name in quotes."""
        return self.text == word and not self.quoted


Field = tuple[Token, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One logical line that is not a comment."""

    number: int
    """Of its first line in the file, from 1."""
    text: str
    fields: tuple[Field, ...]


def lines(text: str, *, version: int) -> Iterator[Line]:
    """Yield the lines of a file that say something; `version` is `server_version_num`."""
    physical = text.split("\n")
    at = 0
    while at < len(physical):
        first, whole = at, physical[at]
        while (
            pg_versions.server_has(version, "hba_continued_lines")
            and whole.endswith("\\")
            and at + 1 < len(physical)
        ):
            at += 1
            whole = whole[:-1] + physical[at]
        at += 1
        found = tuple(fields(whole))
        if found:
            yield Line(number=first + 1, text=whole.strip(), fields=found)


def fields(line: str) -> Iterator[Field]:
    """Yield the fields of a line; the tokens of a field are separated by commas."""
    field: list[Token] = []
    at = 0
    while True:
        token, at, goes_on = _next(line, at)
        if token is None:
            break
        field.append(token)
        if not goes_on:
            yield tuple(field)
            field = []
    if field:
        yield tuple(field)


def _next(line: str, at: int) -> tuple[Token | None, int, bool]:
    """Return the token after a place, where it ends, and whether a comma ended it."""
    while at < len(line) and line[at] in f"{BLANKS},":
        at += 1
    text, quoted, inside, was_quote = "", False, False, False
    while at < len(line) and (inside or line[at] not in BLANKS):
        character = line[at]
        if character == "#" and not inside:
            at = len(line)
            break
        if character == "," and not inside:
            return Token(text, quoted), at + 1, True
        if character != '"' or was_quote:
            text += character
        was_quote = inside and character == '"' and not was_quote
        if character == '"':
            quoted = quoted or not text
            inside = not inside
        at += 1
    return (Token(text, quoted) if text or quoted else None), at, False


KINDS = ("local", "host", "hostssl", "hostnossl", "hostgssenc", "hostnogssenc")


class Match(Enum):
    """Whether a rule catches an attempt."""

    NO = 0
    MAYBE = 1
    """It depends on what cannot be known here: a host's name, encryption, a foreign network."""
    YES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """Somebody who tries to connect."""

    user: str
    database: str
    """Ignored for physical replication."""
    address: str | None = None
    """An IP address; None: the unix socket."""
    encrypted: bool | None = None
    """By TLS; None: it may be or not."""
    replication: bool = False
    member_of: frozenset[str] = frozenset()
    """Roles that the user is a member of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One line that lets in or rejects."""

    file: str
    number: int
    text: str
    kind: str
    databases: Field
    users: Field
    address: Token | None
    mask: str
    method: str
    regexes: bool
    """Whether the server takes `/name` for a regular expression."""

    @property
    def place(self) -> str:
        """File and line, for messages."""
        return f"{self.file}:{self.number}"

    def match(self, attempt: Attempt) -> Match:
        """Tell whether this rule decides about an attempt."""
        parts = (
            self._kind(attempt),
            self._database(attempt),
            self._user(attempt),
            self._address(attempt),
        )
        return min(parts, key=lambda part: part.value)

    def _kind(self, attempt: Attempt) -> Match:
        if (self.kind == "local") != (attempt.address is None):
            return Match.NO
        if self.kind in ("local", "host"):
            return Match.YES
        if self.kind.startswith("hostno"):
            return Match.MAYBE if self.kind == "hostnossl" else Match.YES
        if self.kind == "hostssl" and attempt.encrypted is not None:
            return _sure(attempt.encrypted)
        return Match.MAYBE

    def _database(self, attempt: Attempt) -> Match:
        if attempt.replication:
            return _sure(any(token.is_keyword("replication") for token in self.databases))
        return _any(self._is_database(token, attempt) for token in self.databases)

    def _is_database(self, token: Token, attempt: Attempt) -> Match:
        if token.is_keyword("all"):
            return Match.YES
        if token.is_keyword("sameuser"):
            return _sure(attempt.user == attempt.database)
        if token.is_keyword("samerole") or token.is_keyword("samegroup"):
            return _sure(attempt.database in {attempt.user, *attempt.member_of})
        if token.is_keyword("replication"):
            return Match.NO
        return self._is_name(token, attempt.database)

    def _user(self, attempt: Attempt) -> Match:
        return _any(self._is_user(token, attempt) for token in self.users)

    def _is_user(self, token: Token, attempt: Attempt) -> Match:
        if token.is_keyword("all"):
            return Match.YES
        if token.text.startswith("+") and not token.quoted:
            return _sure(token.text[1:] in {attempt.user, *attempt.member_of})
        return self._is_name(token, attempt.user)

    def _is_name(self, token: Token, name: str) -> Match:
        if not (self.regexes and token.text.startswith("/")):
            return _sure(token.text == name)
        try:
            return _sure(re.search(token.text[1:], name) is not None)
        except re.error:  # PostgreSQL's regular expressions are not quite Python's
            return Match.MAYBE

    def _address(self, attempt: Attempt) -> Match:
        if attempt.address is None or self.address is None or self.address.is_keyword("all"):
            return Match.YES
        client = ipaddress.ip_address(attempt.address)
        if self.address.is_keyword("samehost") or self.address.is_keyword("samenet"):
            return Match.YES if client.is_loopback else Match.MAYBE
        try:
            network = _network(self.address.text, self.mask)
        except ValueError:  # a host's name, or the end of one
            return Match.MAYBE
        return _sure(client.version == network.version and client in network)


def catching(rules: Sequence[Rule], attempt: Attempt) -> tuple[Rule, ...]:
    """Return the rules that may decide about an attempt, in order; the last one does for sure.

    The last one does not when it only may match: then it may be that no rule matches at all.
    """
    found: list[Rule] = []
    for rule in rules:
        match = rule.match(attempt)
        if match is not Match.NO:
            found.append(rule)
        if match is Match.YES:
            break
    return tuple(found)


def _network(address: str, mask: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    if not mask:
        return ipaddress.ip_network(address, strict=False)
    # Python takes no mask in the form of an address for IPv6; PostgreSQL does.
    bits = bin(int(ipaddress.ip_address(mask))).count("1")
    return ipaddress.ip_network(f"{address}/{bits}", strict=False)


def _sure(matches: bool) -> Match:
    return Match.YES if matches else Match.NO


def _any(matches: Iterable[Match]) -> Match:
    return max(matches, key=lambda match: match.value, default=Match.NO)


DEEPEST = 10
"""Files within files that the server follows (CONF_FILE_MAX_DEPTH)."""


def decoded(content: bytes) -> str:
    """Return the text of a file; what is not UTF-8, as in old comments, survives `encoded`."""
    return content.decode("utf-8", "surrogateescape")


def encoded(text: str) -> bytes:
    """Return the bytes of a text from `decoded`."""
    return text.encode("utf-8", "surrogateescape")


def read(path: Path, *, version: int) -> tuple[Rule, ...]:
    """Return all rules of a file, in order; `version` is `server_version_num`.

    Raises HbaUnreadable.
    """
    return tuple(_rules(path, version, depth=0))


def parse(text: str, path: Path, *, version: int) -> tuple[Rule, ...]:
    """Return all rules of a text that stands, or is to stand, in the file `path`."""
    return tuple(_rules_of(text, path, version, depth=0))


def _rules(path: Path, version: int, depth: int) -> Iterator[Rule]:
    if depth > DEEPEST:
        raise HbaUnreadable(f"{path}: files are included more than {DEEPEST} deep")
    try:
        text = decoded(path.read_bytes())
    except OSError as error:
        raise HbaUnreadable(f"cannot read {path}: {(error.strerror or '').lower()}") from error
    yield from _rules_of(text, path, version, depth)


def _rules_of(text: str, path: Path, version: int, depth: int) -> Iterator[Rule]:
    for line in lines(text, version=version):
        included = _included(line, path) if pg_versions.server_has(version, "hba_include") else None
        if included is None:
            yield _rule(line, path, version, depth)
        for file in included or ():
            yield from _rules(file, version, depth + 1)


def _included(line: Line, path: Path) -> tuple[Path, ...] | None:
    """Return the files that a line includes; None for a line that is a rule."""
    if len(line.fields) != 2 or line.fields[0][0].text not in (
        "include", "include_if_exists", "include_dir",
    ):  # fmt: skip
        return None
    how, target = line.fields[0][0].text, path.parent / line.fields[1][0].text
    if how == "include_dir":
        names = sorted(file for file in target.glob("*.conf") if not file.name.startswith("."))
        return tuple(file for file in names if file.is_file())
    return () if how == "include_if_exists" and not target.exists() else (target,)


def _rule(line: Line, path: Path, version: int, depth: int) -> Rule:
    kind = line.fields[0][0].text
    rest = list(line.fields[1:])
    needed = 3 if kind == "local" else 4
    if kind not in KINDS or len(rest) < needed:
        raise HbaUnreadable(
            f"{path}:{line.number} is not a rule: {line.text}",
            hint="Fix the line; the server would not start again with it.",
        )
    databases, users = (_expanded(field, path, version, depth) for field in rest[:2])
    address = None if kind == "local" else rest[2][0]
    has_mask = address is not None and _takes_mask(address.text) and len(rest) > needed
    return Rule(
        file=str(path),
        number=line.number,
        text=line.text,
        kind=kind,
        databases=databases,
        users=users,
        address=address,
        mask=rest[3][0].text if has_mask else "",
        method=rest[needed if has_mask else needed - 1][0].text,
        regexes=pg_versions.server_has(version, "hba_regex"),
    )


def _takes_mask(address: str) -> bool:
    """Tell whether an address needs a mask in the next field: it is one, and has no `/`."""
    return "/" not in address and (":" in address or address.replace(".", "").isdigit())


def _expanded(field: Field, path: Path, version: int, depth: int) -> Field:
    """Return the tokens of a field, with the lists of files that it names by `@file`."""
    found: list[Token] = []
    for token in field:
        if token.quoted or not token.text.startswith("@") or len(token.text) == 1:
            found.append(token)
            continue
        file = path.parent / token.text[1:]
        if depth > DEEPEST:
            raise HbaUnreadable(f"{file}: files are included more than {DEEPEST} deep")
        try:
            text = decoded(file.read_bytes())
        except OSError as error:
            raise HbaUnreadable(f"cannot read {file}: {(error.strerror or '').lower()}") from error
        for line in lines(text, version=version):
            for inner in line.fields:
                found += _expanded(inner, file, version, depth + 1)
    return tuple(found)


# A line with a type and an error is sound: `hostssl` where the server has no TLS can never match.
FAULTS = """
select {file}, line_number, error from pg_catalog.pg_hba_file_rules
where error is not null and type is null order by 1, 2
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """Something that has to hold under the new rules."""

    name: str
    check: Callable[[], None]
    """Raises MigrationError when it does not hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What became of the file."""

    file: Path
    changed: bool
    copy: Path | None = None
    """The former file, when it was changed."""


def apply(
    connection: Connection, block: Block, *, reconnect: Reconnect, proofs: Sequence[Proof] = ()
) -> Applied:
    """Put a block above all rules, check the file, reload, and let the proofs run.

    `connection` is a superuser's, `reconnect` opens another one like it. On any failure, on a
    signal, and when this process is killed, the old file comes back and is loaded. Raises
    ConfigurationElsewhere or ConfigurationDenied when the file is not ours to write (the hint
    holds the text to paste), HbaRefused when something did not hold.
    """
    try:
        file = ready(connection)
        old = file.read_bytes()
        new = encoded(block.first_in(decoded(old)))
        if new == old:
            return Applied(file=file, changed=False)
        copy = configuration.change(
            connection,
            file,
            new,
            reconnect=reconnect,
            check=partial(_check, connection, "the server does not accept the new access rules"),
            proofs=[partial(_prove, proof) for proof in proofs],
            refused=HbaRefused,
        )
        return Applied(file=file, changed=True, copy=copy)
    except (ConfigurationElsewhere, ConfigurationDenied, OSError) as error:
        raise lines_by_hand(error, block) from error


def ready(connection: Connection) -> Path:
    """Return the server's pg_hba.conf when it is sound and ours to replace.

    Raises ConfigurationElsewhere, ConfigurationDenied, HbaRefused.
    """
    file = configuration.local(connection, configuration.path(connection, "hba_file"))
    _check(connection, "the server's access rules are faulty already")
    return file


def _prove(proof: Proof) -> None:
    try:
        proof.check()
    except MigrationError as error:
        raise HbaRefused(f"{proof.name}: {error}", hint=error.hint) from error


def _check(connection: Connection, what: str) -> None:
    """Raise HbaRefused for a fault that the server sees in its file, if it is able to."""
    major = pg_versions.of(connection.server_version)
    if not pg_versions.holds("hba_file_rules_view", major):
        return
    name = "file_name" if pg_versions.holds("hba_include", major) else "''"
    with connection.cursor() as cursor:
        try:
            cursor.execute(FAULTS.format(file=name))
        except psycopg2.errors.InsufficientPrivilege as error:
            raise ConfigurationDenied(
                "this role may not read pg_hba_file_rules",
                hint="Connect as a superuser, such as postgres.",
            ) from error
        except psycopg2.Error as error:
            raise HbaRefused(f"{what}: {first_line(error)}") from error
        finally:
            if not connection.autocommit:
                connection.rollback()
        faults = cursor.fetchall()
    if faults:
        told = "; ".join(f"line {line}{f' of {file}' if file else ''}: {why}"
                         for file, line, why in faults)  # fmt: skip
        raise HbaRefused(f"{what}: {told}", hint="Fix the file first; nothing was loaded.")


def lines_by_hand(error: Exception, block: Block) -> MigrationError:
    """Return the error that says why the rules were not written, with the lines to paste."""
    return configuration.by_hand(
        error,
        what="the access rules",
        where="above all rules of the server's pg_hba.conf",
        lines=block.text,
    )

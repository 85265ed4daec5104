"""One rule of pg_hba.conf, and which attempts to connect it catches. Pure."""

import ipaddress
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from collec_migrations.postgres.hba_tokens import Field, Token

REGEX_SINCE = 160000
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

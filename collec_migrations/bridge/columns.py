"""A column's definition in its three parts, and what a difference in each of them means."""

from dataclasses import dataclass

from collec_migrations.bridge.difference import Severity
from collec_migrations.catalog import FROZEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """Type, whether it may be null, default (empty: none)."""

    type: str
    not_null: bool
    default: str

    @classmethod
    def parse(cls, definition: str) -> "Column":
        """Return the parts of `type [not null] [default expression]`."""
        head, _, default = definition.partition(" default ")
        return cls(
            type=head.removesuffix(" not null"),
            not_null=head.endswith(" not null"),
            default=default,
        )


def judge(name: str, expected: str, observed: str) -> tuple[Severity, str]:
    """Return how bad the difference of two definitions is, and what it is."""
    want, have = Column.parse(expected), Column.parse(observed)
    said: list[str] = []
    severity = Severity.DIFFERS
    if want.type != have.type:
        severity = Severity.BREAKS
        said.append(f"has type {have.type} instead of {want.type}")
    if want.not_null != have.not_null:
        severity = Severity.BREAKS
        said.append("refuses nulls but should not" if have.not_null else "accepts nulls")
    if want.default != have.default:
        said.append(_default(want.default, have.default))
    return severity, f"column {name} {', '.join(said)}"


def _default(expected: str, observed: str) -> str:
    if FROZEN in observed:
        return "has a default frozen at the moment of installation"
    if not observed:
        return f"lacks its default {expected}"
    return f"has the default {observed}" + (f" instead of {expected}" if expected else "")

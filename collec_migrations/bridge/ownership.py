"""Who owns new objects of a schema and who may use them, decided from the older ones. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, field

from collec_migrations.postgres import quoting

TABLE_LIKE = ("table", "view", "materialized view", "foreign table")


@dataclass(frozen=True, slots=True, order=True)
class Right:
    """One privilege of one role on an object."""

    grantee: str
    """Name of the role; empty: everyone (PUBLIC)."""
    privilege: str
    grantable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Object:
    """A table, view, sequence, function or type."""

    kind: str
    oid: int
    name: str
    """For a function with the types of its arguments."""
    owner: str
    follows: bool = False
    """A sequence that belongs to a column, and so to the owner of its table."""
    rights: frozenset[Right] = frozenset()

    def named(self, schema: str) -> str:
        """Return the object's kind and qualified name, as ALTER and GRANT take it."""
        if self.kind == "function":
            name, bracket, arguments = self.name.partition("(")
            return f"{quoting.identifier(schema)}.{quoting.identifier(name)}{bracket}{arguments}"
        return f"{quoting.identifier(schema)}.{quoting.identifier(self.name)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """All objects of a schema, and what its owner's default privileges give."""

    schema: str
    schema_owner: str
    objects: tuple[Object, ...]
    defaults: frozenset[tuple[str, str, Right]] = field(default=frozenset())
    """(owner, kind, right) for each default privilege."""


def rightful_owner(holding: Holding, *, tool_tables: Sequence[str]) -> str:
    """Return who owns the schema's tables: most of them, or the schema when there are none."""
    owners = Counter(
        item.owner
        for item in holding.objects
        if item.kind == "table" and item.name not in tool_tables
    )
    if not owners:
        return holding.schema_owner
    # Of two equally frequent owners the first by name: the answer must not vary.
    return min(owners, key=lambda owner: (-owners[owner], owner))


def common_rights(objects: Iterable[Object]) -> frozenset[Right]:
    """Return the rights that exist on every one of these objects.

    An owner has all rights on what it owns; with the option to grant them if all have it.
    """
    held = [(o.owner, {(r.grantee, r.privilege): r.grantable for r in o.rights}) for o in objects]
    candidates = set().union(*(rights for _, rights in held))
    found = set()
    for key in candidates:
        grantee, privilege = key
        options = [grantee == owner or rights.get(key) for owner, rights in held]
        if None not in options:
            found.add(Right(grantee, privilege, all(options)))
    return frozenset(found)


def settlement(
    before: Holding,
    after: Holding,
    *,
    owner: str,
    known: Set[tuple[str, int]],
    tool_tables: Sequence[str],
) -> tuple[str, ...]:
    """Return the statements that give new objects their rightful owner and rights.

    A new object belongs to `owner`. It gets the rights that exist on all older tables
    (sequences: on all older sequences), those of the owner's default privileges, and, when it
    replaces an object of the same name, those that the former one had; what the default
    privileges of whoever made it gave away goes. `known` are the (kind,
    oid) of what was there before, in any schema: what only moved keeps what it has.
    """
    replaced = {(item.kind, item.name): item for item in before.objects}
    statements: list[str] = []
    if not before.schema_owner and after.schema_owner != owner:
        statements.append(
            f"alter schema {quoting.identifier(after.schema)} owner to {quoting.identifier(owner)};"
        )
    for item in after.objects:
        if (item.kind, item.oid) in known:
            continue
        former = replaced.get((item.kind, item.name))
        wanted_owner = former.owner if former else owner
        if item.owner != wanted_owner and not item.follows:
            statements.append(_ownership(item, after.schema, wanted_owner))
        wanted = _wanted_rights(item, before, after, wanted_owner, tool_tables)
        if former:
            wanted |= former.rights
        statements += [
            _grant(item, after.schema, right)
            for right in sorted(wanted - item.rights)
            if right.grantee != wanted_owner
        ]
        if item.owner != wanted_owner:
            stray = item.rights & _default_rights(item, after, item.owner) - wanted
            statements += [_revocation(item, after.schema, right) for right in sorted(stray)]
    return tuple(statements)


def _wanted_rights(
    item: Object, before: Holding, after: Holding, owner: str, tool_tables: Sequence[str]
) -> frozenset[Right]:
    by_default = _default_rights(item, after, owner)
    family = _family(item)
    if family not in ("table", "sequence"):
        return by_default
    older = (o for o in before.objects if o.kind == family and o.name not in tool_tables)
    return by_default | common_rights(older)


def _default_rights(item: Object, holding: Holding, owner: str) -> frozenset[Right]:
    """Return what the default privileges of a role give away on what it makes."""
    family = _family(item)
    return frozenset(
        right for role, kind, right in holding.defaults if role == owner and kind == family
    )


def _family(item: Object) -> str:
    """Return the kind of object that default privileges know."""
    if item.kind in TABLE_LIKE:
        return "table"
    return "type" if item.kind == "domain" else item.kind


def _ownership(item: Object, schema: str, owner: str) -> str:
    return f"alter {item.kind} {item.named(schema)} owner to {quoting.identifier(owner)};"


def _grant(item: Object, schema: str, right: Right) -> str:
    option = " with grant option" if right.grantable else ""
    return f"grant {_on(item, schema, right)} to {_grantee(right)}{option};"


def _revocation(item: Object, schema: str, right: Right) -> str:
    return f"revoke {_on(item, schema, right)} from {_grantee(right)};"


def _on(item: Object, schema: str, right: Right) -> str:
    kind = "table" if item.kind in TABLE_LIKE else item.kind
    return f"{right.privilege} on {kind} {item.named(schema)}"


def _grantee(right: Right) -> str:
    return quoting.identifier(right.grantee) if right.grantee else "public"

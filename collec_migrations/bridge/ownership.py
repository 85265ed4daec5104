"""Give new objects of the schemas the owner and the rights that the older ones have."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, field, replace
from typing import Any

from psycopg2.extensions import cursor as Cursor  # noqa: N812  (a class in psycopg2)

from collec_migrations.bridge.history import TOOL_TABLES
from collec_migrations.names import Names
from collec_migrations.postgres.queries import statement
from collec_migrations.postgres.quoting import identifier

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

    @property
    def family(self) -> str:
        """The kind as GRANT and default privileges know it: a view is a table there."""
        if self.kind in TABLE_LIKE:
            return "table"
        return "type" if self.kind == "domain" else self.kind

    def named(self, schema: str) -> str:
        """Return the object's qualified name, as ALTER and GRANT take it."""
        name, bracket, arguments = self.name, "", ""
        if self.kind == "function":
            name, bracket, arguments = self.name.partition("(")
        return f"{identifier(schema)}.{identifier(name)}{bracket}{arguments}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaObjects:
    """All objects of a schema, and what its owner's default privileges give."""

    schema: str
    schema_owner: str
    """Empty: there is no such schema."""
    objects: tuple[Object, ...]
    defaults: frozenset[tuple[str, str, Right]] = field(default=frozenset())
    """(owner, kind, right) for each default privilege."""

    def owner(self) -> str:
        """Return who owns the schema's tables: most of them; the schema where there are none."""
        owners = Counter(
            item.owner
            for item in self.objects
            if item.kind == "table" and item.name not in TOOL_TABLES
        )
        if not owners:
            return self.schema_owner
        # Of two equally frequent owners the first by name: the answer must not vary.
        return min(owners, key=lambda owner: (-owners[owner], owner))


def read(cursor: Cursor, schemas: Sequence[str]) -> dict[str, SchemaObjects]:
    """Return what each schema holds, with owners and rights, in one round trip."""
    cursor.execute(statement("objects"), {"schemas": list(schemas)})
    rows: dict[str, list[tuple[Any, ...]]] = {schema: [] for schema in schemas}
    for schema, *row in cursor.fetchall():
        rows[schema].append(tuple(row))
    return {schema: _held(schema, found) for schema, found in rows.items()}


def _held(schema: str, rows: Sequence[tuple[Any, ...]]) -> SchemaObjects:
    objects: dict[tuple[str, int], Object] = {}
    rights: dict[tuple[str, int], set[Right]] = {}
    schema_owner, defaults = "", set()
    for kind, oid, name, owner, follows, granted, *right in rows:
        key = (kind, oid)
        if kind == "schema":
            schema_owner = owner
        elif kind == "default":
            defaults.add((owner, name, _right(right)))
        else:
            objects[key] = Object(kind=kind, oid=oid, name=name, owner=owner, follows=follows)
            if granted:
                rights.setdefault(key, set()).add(_right(right))
    return SchemaObjects(
        schema=schema,
        schema_owner=schema_owner,
        objects=tuple(
            replace(item, rights=frozenset(rights.get(key, ()))) for key, item in objects.items()
        ),
        defaults=frozenset(defaults),
    )


def _right(values: Sequence[Any]) -> Right:
    """Return the right of a row's last columns: grantee, privilege, grantable."""
    grantee, privilege, grantable = values
    return Right(grantee or "", privilege, bool(grantable))


class Watch:
    """What the schemas of a pair held, so that what a step adds can be told from it."""

    def __init__(self, cursor: Cursor, names: Names, *, none_there: bool = False) -> None:
        """`none_there`: the schemas are known not to be there, so that nothing has to be read."""
        self._cursor = cursor
        self._archives = {names.gacl: names.gacl_archive, names.col: names.col_archive}
        self._schemas = [*self._archives, *self._archives.values()]
        self._held = {one: _held(one, ()) for one in self._schemas} if none_there else self._read()

    def _read(self) -> dict[str, SchemaObjects]:
        return read(self._cursor, self._schemas)

    def is_new(self, schema: str) -> bool:
        """Say whether a schema was not there: what it holds by now, this session has made."""
        return not self._held[schema].schema_owner

    def owned(self) -> list[tuple[str, str, str]]:
        """Return (owner, schema, the object as ALTER names it) of the schemas and what is in them.

        The tool's own tables are left out: whoever adopted a database owns them.
        """
        found = []
        for schema, held in self._held.items():
            if held.schema_owner:
                found.append((held.schema_owner, schema, f"schema {identifier(schema)}"))
            found += [
                (item.owner, schema, f"{item.kind} {item.named(schema)}")
                for item in held.objects
                if item.name not in TOOL_TABLES and not item.follows
            ]
        return found

    def empty(self) -> frozenset[str]:
        """Return the schemas that hold nothing."""
        return frozenset(schema for schema, held in self._held.items() if not held.objects)

    def first_owner(self, among: Set[str]) -> str:
        """Return which of these owns most objects; of two the first by name."""
        counted = Counter(owner for owner, _, _ in self.owned() if owner in among)
        return min(counted, key=lambda owner: (-counted[owner], owner))

    def settle(self) -> None:
        """Give all that is new its rightful owner and rights, and watch on from there."""
        known = {(item.kind, item.oid) for held in self._held.values() for item in held.objects}
        before, self._held = self._held, self._read()
        statements: list[str] = []
        for schema, archive in self._archives.items():
            # Of a schema that is new, whoever made it.
            owner = (before if before[schema].schema_owner else self._held)[schema].owner()
            for one in (schema, archive):
                if self._held[one].schema_owner:
                    statements += settlement(before[one], self._held[one], owner=owner, known=known)
        if statements:
            self._cursor.execute("\n".join(statements))
            self._held = self._read()


def settlement(
    before: SchemaObjects, after: SchemaObjects, *, owner: str, known: Set[tuple[str, int]]
) -> tuple[str, ...]:
    """Return the statements that give new objects their rightful owner and rights.

    A new object belongs to `owner`. It gets the rights that exist on all older tables
    (sequences: on all older sequences), those of the owner's default privileges, and, when it
    replaces an object of the same name, those that the former one had; what the default
    privileges of whoever made it gave away goes. `known` are the (kind, oid) of what was there
    before, in any schema: what only moved keeps what it has.
    """
    replaced = {(item.kind, item.name): item for item in before.objects}
    older: dict[str, frozenset[Right]] = {}
    for family in ("table", "sequence"):
        items = (one for one in before.objects
                 if one.kind == family and one.name not in TOOL_TABLES)  # fmt: skip
        older[family] = common_rights(items)
    statements: list[str] = []
    if not before.schema_owner and after.schema_owner != owner:
        statements.append(f"alter schema {identifier(after.schema)} owner to {identifier(owner)};")
    for item in after.objects:
        if (item.kind, item.oid) not in known:
            former = replaced.get((item.kind, item.name))
            statements += _settled(item, after, former.owner if former else owner,
                                   older.get(item.family, frozenset())
                                   | (former.rights if former else frozenset()))  # fmt: skip
    return tuple(statements)


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


def _settled(
    item: Object, held: SchemaObjects, owner: str, wanted: frozenset[Right]
) -> Iterator[str]:
    on = f"on {item.family} {item.named(held.schema)}"
    by_default = {
        role: frozenset(right for whose, kind, right in held.defaults
                        if (whose, kind) == (role, item.family))
        for role in (owner, item.owner)
    }  # fmt: skip
    wanted |= by_default[owner]
    if item.owner != owner and not item.follows:
        yield f"alter {item.kind} {item.named(held.schema)} owner to {identifier(owner)};"
    for right in sorted(wanted - item.rights):
        if right.grantee != owner:
            option = " with grant option" if right.grantable else ""
            yield f"grant {right.privilege} {on} to {_grantee(right)}{option};"
    if item.owner != owner:
        for right in sorted((item.rights & by_default[item.owner]) - wanted):
            yield f"revoke {right.privilege} {on} from {_grantee(right)};"


def _grantee(right: Right) -> str:
    return identifier(right.grantee) if right.grantee else "public"

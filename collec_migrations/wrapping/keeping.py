"""What a script drops, deletes or overwrites, copied to the archive before it does. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from collec_migrations.postgres import quoting
from collec_migrations.scripts import roles
from collec_migrations.wrapping import cutting
from collec_migrations.wrapping.script import Item

LONGEST = 63


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """Rows or values of one table that a statement takes away."""

    table: str
    """Its name without schema."""
    relation: str
    """Its name as SQL writes it, with a schema where the script gives one."""
    columns: tuple[str, ...] = ()
    """Only rows in which one of these has a value; none: all rows."""
    rows: str = ""
    """A query for the addresses of the rows; empty: all."""
    what: str
    stays: bool = True
    """Whether table and column are there afterwards."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What is done before a statement so that nothing is lost."""

    archive: str
    """Name of the table that is made when there is something to keep."""
    sql: str


def origin(old: str, new: str) -> str:
    """Return how the comment of an archive begins, which `archives` reads."""
    return f"Archived by the upgrade {old} -> {new} on "


def losses(item: Item) -> tuple[Loss, ...]:
    """Return what a statement takes away; what functions and cascades do is not seen."""
    return tuple(_losses(item))


class Keeper:
    """Names the archives of one step: each table's first one, and further ones."""

    def __init__(self, *, old: str, new: str) -> None:
        self._old = old
        self._new = new
        self._taken: dict[str, int] = {}

    def before(self, item: Item) -> tuple[Kept, ...]:
        """Return what keeps what this statement takes away, with the default names."""
        return tuple(self._kept(item, loss) for loss in losses(item))

    def _kept(self, item: Item, loss: Loss) -> Kept:
        changed = roles.changes(item.statement.text, item.search_path)
        schema = "gacl_archive" if changed == {"gacl"} else "col_archive"
        archive = self._name(loss.table)
        details = f": {loss.what} ({item.place})"
        comment = (origin(self._old, self._new), details)
        return Kept(archive=archive, sql=_block(schema, archive, loss, comment))

    def _name(self, table: str) -> str:
        suffix = f"_until_{self._old.replace('.', '_')}"
        number = self._taken[table] = self._taken.get(table, 0) + 1
        if number > 1:
            suffix += f"_{number}"
        return table.encode()[: LONGEST - len(suffix)].decode(errors="ignore") + suffix


def _losses(item: Item) -> Iterator[Loss]:
    tree = item.tree
    kind = type(tree).__name__
    if kind == "AlterTableStmt" and tree.objtype.name == "OBJECT_TABLE":
        yield from _columns(tree)
    elif kind == "DropStmt" and tree.removeType.name == "OBJECT_TABLE":
        for names in tree.objects:
            loss = _whole([name.sval for name in names], "rows of the dropped table")
            yield replace(loss, stays=False)
    elif kind == "TruncateStmt":
        for relation in tree.relations:
            yield _whole(_names(relation), "rows deleted")
    elif kind == "DeleteStmt":
        rows = cutting.touched(item.statement.text, tree)
        yield _loss(tree.relation, what="rows deleted", rows=rows)
    elif kind == "UpdateStmt":
        rows = cutting.touched(item.statement.text, tree)
        written = tuple(dict.fromkeys(target.name for target in tree.targetList))
        yield _loss(tree.relation, what="rows before they changed", rows=rows, columns=written)


def _columns(tree: Any) -> Iterator[Loss]:
    """Yield the columns that an ALTER TABLE drops or converts by an expression."""
    for command in tree.cmds:
        name = command.subtype.name
        converts = name == "AT_AlterColumnType" and command.def_.raw_default is not None
        if name == "AT_DropColumn" or converts:
            what = f"column {command.name} {'before it changed' if converts else 'dropped'}"
            loss = _loss(tree.relation, what=what, columns=(command.name,))
            yield loss if converts else replace(loss, stays=False)


def _loss(relation: Any, *, what: str, rows: str = "", columns: Sequence[str] = ()) -> Loss:
    return Loss(
        table=relation.relname,
        relation=_written(_names(relation)),
        columns=tuple(columns),
        rows=rows,
        what=what,
    )


def _whole(names: Sequence[str], what: str) -> Loss:
    return Loss(table=names[-1], relation=_written(names), what=what)


def _names(relation: Any) -> list[str]:
    return [name for name in (relation.schemaname, relation.relname) if name]


def _written(names: Sequence[str]) -> str:
    return ".".join(map(quoting.identifier, names))


def _block(schema: str, archive: str, loss: Loss, comment: tuple[str, str]) -> str:
    """Return the statement that makes the archive; errors about names are left to the script's
    own statement, which meets them too and is told with its line."""
    target = f"{schema}.{quoting.identifier(archive)}"
    found = query(loss)
    begins, ends = map(quoting.literal, comment)
    return f"""do $collec_keep$
declare
    origin text;
begin
    if exists (
        select 1 from pg_catalog.pg_class
        where oid = to_regclass({quoting.literal(loss.relation)}) and relkind in ('r', 'p')
    ) then
        if exists ({found}) then
            if not exists (
                select 1 from pg_catalog.pg_namespace where nspname = {quoting.literal(schema)}
            ) then
                create schema {schema};
            end if;
            create table {target} as {found};
            origin := ({where(loss)});
            execute format(
                'comment on table %s is %L',
                {quoting.literal(target)}::regclass,
                {begins} || to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
                    || ' from ' || origin || {ends}
            );
        end if;
    end if;
exception when undefined_column or undefined_table or undefined_function then
    null;
end
$collec_keep$;"""


def query(loss: Loss, what: str = "*") -> str:
    """Return the query for the rows of a loss, with the default names."""
    conditions = []
    if loss.rows:
        conditions.append(f"kept.ctid in ({loss.rows})")
    if loss.columns:
        filled = " or ".join(
            f"kept.{quoting.identifier(column)} is not null" for column in loss.columns
        )
        conditions.append(f"({filled})")
    where = f" where {' and '.join(conditions)}" if conditions else ""
    return f"select {what} from {loss.relation} as kept{where}"


def where(loss: Loss) -> str:
    """Return the query for the table of a loss, as `schema.table`, with the default names."""
    return f"""select n.nspname || '.' || c.relname
        from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where c.oid = to_regclass({quoting.literal(loss.relation)})"""

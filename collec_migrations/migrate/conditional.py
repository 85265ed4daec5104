"""A statement that runs only if a condition holds, for a script that psql runs later. Pure."""

from collections.abc import Sequence

from collec_migrations.postgres import quoting


def block(condition: str, statements: Sequence[str], *, unless: bool) -> str:
    """Return a statement that runs others if a query gives true, or unless it does."""
    lines = "\n".join(f"        execute {quoting.literal(one)};" for one in statements)
    wanted = "is not true" if unless else ""
    return f"""do $collec_condition$
begin
    if ({condition}) {wanted} then
{lines}
    end if;
end
$collec_condition$;"""

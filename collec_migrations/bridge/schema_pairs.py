"""Which data schema goes with which rights schema. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from collec_migrations.bridge import markers
from collec_migrations.bridge.schemas import Schema
from collec_migrations.names import Names


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairing:
    """The pairs of a database, and what stands alone."""

    pairs: tuple[Names, ...] = ()
    lone_gacl: tuple[str, ...] = ()
    """Rights schemas that no data schema goes with."""
    unpaired: tuple[str, ...] = ()
    """Data schemas of which it cannot be told which rights schema is theirs."""


def pair(schemas: Sequence[Schema]) -> Pairing:
    """Return the pairs that the schemas make, by what each data schema uses."""
    rights = [one.name for one in schemas if markers.is_gacl(one.gacl_tables)]
    data = [one for one in schemas if markers.is_col(one.col_tables)]
    pairs: list[Names] = []
    unpaired: list[str] = []
    for one in data:
        gacl = _rights_of(one, [name for name in rights if name != one.name])
        if gacl is None:
            unpaired.append(one.name)
        else:
            pairs.append(Names(gacl=gacl, col=one.name))
    used = {names.gacl for names in pairs}
    return Pairing(
        pairs=tuple(pairs),
        lone_gacl=tuple(name for name in rights if name not in used),
        unpaired=tuple(unpaired),
    )


def _rights_of(data: Schema, rights: list[str]) -> str | None:
    used = [name for name in data.uses if name in rights]
    if len(used) == 1:
        return used[0]
    if not used and len(rights) == 1:
        return rights[0]
    return None

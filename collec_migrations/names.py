"""The names of a site's schemas: what scripts call `gacl` and `col`, and their archives."""

from dataclasses import dataclass
from hashlib import sha256

from collec_migrations.errors import InvalidNames

LONGEST = 63
"""Bytes in an identifier: NAMEDATALEN - 1 (PostgreSQL manual, 4.1.1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """One pair of schemas, and the archive schemas that belong to it."""

    gacl: str = "gacl"
    col: str = "col"

    @classmethod
    def parse(cls, *, gacl: str, col: str) -> "Names":
        """Return the pair of these names, exactly as given; raise `InvalidNames` when unusable."""
        for role, name in (("gacl", gacl), ("col", col)):
            check_identifier(role, name)
        if gacl == col:
            raise InvalidNames(
                f"the rights schema and the data schema are both named {col!r}",
                hint="Give two different names: the data schema has a view named as a table "
                "of the rights schema.",
            )
        return cls(gacl=gacl, col=col)

    @property
    def col_archive(self) -> str:
        """The schema that keeps what steps remove from the data schema."""
        return _archive(self.col, taken=self.gacl)

    @property
    def gacl_archive(self) -> str:
        """The schema that keeps what steps remove from the rights schema."""
        return _archive(self.gacl, taken=self.col)

    @property
    def by_default_name(self) -> dict[str, str]:
        """What each name in a script stands for: default name to the site's name."""
        return {
            "gacl": self.gacl,
            "col": self.col,
            "gacl_archive": self.gacl_archive,
            "col_archive": self.col_archive,
        }


def check_identifier(role: str, name: str) -> None:
    """Raise `InvalidNames` unless PostgreSQL would take `name` for a schema's name as it is."""
    if not name:
        raise InvalidNames(
            f"the name of the {role} schema is empty", hint=f"Give one with -x {role}=NAME."
        )
    if "\0" in name:
        raise InvalidNames(f"the name of the {role} schema holds a null character")
    try:
        length = len(name.encode())
    except UnicodeEncodeError:
        raise InvalidNames(f"the name of the {role} schema is not valid text") from None
    if length > LONGEST:
        raise InvalidNames(
            f"the name of the {role} schema has {length} bytes, more than {LONGEST}",
            hint="PostgreSQL would cut it; choose a shorter one.",
        )
    if name.startswith("pg_") or name == "information_schema":
        raise InvalidNames(
            f"the name {name!r} of the {role} schema is reserved for PostgreSQL itself",
            hint="Choose a name that does not begin with pg_.",
        )


def _archive(name: str, *, taken: str) -> str:
    """Return the name of the archive of schema `name`: legal, and not the `taken` one."""
    plain = f"{name}_archive"
    if len(plain.encode()) <= LONGEST and plain != taken:
        return plain
    suffix = f"_{sha256(name.encode()).hexdigest()[:8]}_archive"
    return _cut(name, LONGEST - len(suffix)) + suffix


def _cut(text: str, size: int) -> str:
    """Return the longest beginning of `text` that has at most `size` bytes in UTF-8."""
    return text.encode()[:size].decode(errors="ignore")

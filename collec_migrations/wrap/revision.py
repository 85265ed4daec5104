"""The revision of a wrapped step: ten lines that name its files and their checksum."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

TEMPLATE = '''\
"""Version {new}, wrapped from the application's own script."""

from collec_migrations.migrate import step

revision = "{new}"
down_revision = "{old}"
script = "{script}"
checksum = "{checksum}"
{variables}

def upgrade() -> None:
    step.apply_wrapped(script, checksum{given})


def downgrade() -> None:
    step.refuse_downgrade(script)
'''


_SAID = re.compile(
    r"""^(revision|down_revision|script|checksum)\b[^=\n]*=\s*["']([^"']+)["']""", re.MULTILINE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """What a revision file says."""

    version: str
    parent: str | None
    script: str
    """Names of the files in their order, separated by commas; empty: it creates."""
    checksum: str
    """Empty for a version that was not wrapped."""
    path: Path


def text(
    *, old: str, new: str, scripts: Sequence[str], checksum: str, variables: Mapping[str, str]
) -> str:
    """Return the revision of a step; `variables` are those that psql would be given."""
    return TEMPLATE.format(
        old=old,
        new=new,
        script=", ".join(scripts),
        checksum=checksum,
        variables=f"variables = {dict(variables)!r}\n" if variables else "",
        given=", variables" if variables else "",
    )


def file_name(version: str) -> str:
    """Return the name of the file of a version's revision."""
    return f"v{version.replace('.', '_')}.py"


def read(folder: Path) -> tuple[Revision, ...]:
    """Return the revisions in a folder, none when it is missing, without importing them."""
    found = []
    for path in sorted(folder.glob("*.py")):
        said = dict(_SAID.findall(path.read_text("utf-8", "replace")))
        if "revision" in said:
            found.append(
                Revision(
                    version=said["revision"],
                    parent=said.get("down_revision"),
                    script=said.get("script", ""),
                    checksum=said.get("checksum", ""),
                    path=path,
                )
            )
    return tuple(found)


def ordered(found: Iterable[Revision]) -> tuple[Revision, ...]:
    """Return revisions as a chain, oldest first; the last of two with the same parent counts."""
    following = {one.parent: one for one in found}
    chain: list[Revision] = []
    at: str | None = None
    while at in following:
        chain.append(following[at])
        at = chain[-1].version
    return tuple(chain)

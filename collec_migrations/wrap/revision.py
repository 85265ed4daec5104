"""The revision of a wrapped step: ten lines that name its files and their checksum."""

from collections.abc import Mapping, Sequence

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

"""The files that make a folder a standby, kept while it is not certain that it will be one."""

from collections.abc import Mapping
from pathlib import Path

from collec_migrations.postgres import pg_versions, programs
from collec_migrations.replica import owned
from collec_migrations.replica.machine import Node


def read(node: Node) -> Mapping[str, str | None]:
    """Return the text of these files by their names, None for one that is not there."""
    names = {pg_versions.text("standby_marker", node.major), configuration_file(node.major)}
    return {
        name: owned.read(node.data / name, node.account) if (node.data / name).is_file() else None
        for name in sorted(name for name in names if name)
    }


def write(node: Node, before: Mapping[str, str | None]) -> None:
    """Put these files back as they were; raises ServerFailed."""
    for name, text in before.items():
        if text is None:
            command = ("rm", "-f", "--", str(node.data / name))
            programs.run(command, account=node.account, folder=Path("/"))
        else:
            owned.write(node.data / name, text, node.account)


def configuration_file(major: str) -> str:
    """Return the file that holds the settings of a standby."""
    return pg_versions.text("recovery_settings_file", major) or ""

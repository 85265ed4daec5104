"""Bring a former primary back to its new primary's history by pg_rewind, fenced all the while.

During the work the folder has another name, so that nothing that starts servers (systemd, a
colleague) can start it as a second primary: pg_rewind removes `standby.signal`. pg_rewind also
copies the primary's configuration over the folder's own (facts 4.4), which is put aside first.
"""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from psycopg2.extensions import make_dsn

from collec_migrations.errors import (
    ConnectionFailed,
    ReplicationFailed,
    ReplicationRefused,
    ServerFailed,
)
from collec_migrations.postgres import connection as database
from collec_migrations.postgres import password as postgres_password
from collec_migrations.postgres import pg_versions, programs
from collec_migrations.replica import local_node, primary_state, standby_config
from collec_migrations.replica.local_node import LocalNode
from collec_migrations.replica.standby_config import DATABASE, StandbySpec

OWN = ("postgresql.conf", "postgresql.auto.conf", "pg_hba.conf", "pg_ident.conf")
"""What a node keeps of its own; on Debian all but one are in /etc."""


def fenced_path(data: Path) -> Path:
    """Return where a folder is while it is rewound."""
    return data.with_name(f"{data.name}.rejoining")


def kept_path(data: Path) -> Path:
    """Return where a folder's own configuration is while it is rewound."""
    return data.with_name(f"{data.name}.rejoining-conf")


def control_data(node: LocalNode) -> Mapping[str, str]:
    """Return what pg_controldata tells of a folder, by its English names."""
    rows = (line.partition(":") for line in node.run("pg_controldata", node.data).splitlines())
    return {name.strip(): value.strip() for name, _, value in rows}


def recover(node: LocalNode) -> None:
    """Let a primary that was killed come to a clean stop, alone: nobody can connect meanwhile.

    pg_rewind wants it so; it does this by itself from 13 on only. Raises ReplicationFailed.
    """
    local_node.wait_for_reaper(node.data)
    try:
        node.run("postgres", "--single", *node.configured, "template1")
    except ServerFailed as error:
        raise ReplicationFailed(
            f"the server in {node.data} does not recover", hint=error.hint
        ) from error


def check_access(node: LocalNode, spec: StandbySpec) -> None:
    """Raise ReplicationRefused when pg_rewind would not be let in: a clone is not due for that."""
    file = standby_config.passfile_of(spec, node.account)
    key = (spec.host, str(spec.port), DATABASE, primary_state.REWIND)
    password = postgres_password.lookup_password(standby_config.read_owned(file, node.account), key)
    hint = f"{file} needs the line {spec.host}:{spec.port}:*:{primary_state.REWIND}:PASSWORD; "
    hint += "the role and its rights come from `replica primary`, as does the line of pg_hba.conf."
    if password is None:
        raise ReplicationRefused(f"{file} has no line for {':'.join(key)}", hint=hint)
    try:
        database.connect(replace(spec, user=primary_state.REWIND).address(password)).close()
    except ConnectionFailed as error:
        raise ReplicationRefused(f"pg_rewind is not let in: {error}", hint=hint) from error


def refuse_at_work(node: LocalNode) -> None:
    """Raise ReplicationRefused while a pg_rewind of a killed run still works on the folder."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:  # it has just ended
            continue
        if os.fsencode(node.data) in words and any(b"pg_rewind" in word for word in words):
            raise ReplicationRefused(
                f"pg_rewind still works on {node.data} (process {process.name})",
                hint="A killed run left it behind: wait for its end, or end it.",
            )


def fence(node: LocalNode) -> LocalNode:
    """Put the configuration aside and give the folder its other name; return it as it is then."""
    away, kept = fenced_path(node.data), kept_path(node.data)
    if os.path.lexists(away):
        raise ReplicationRefused(
            f"{away} is there already beside {node.data}",
            hint="It is what an interrupted rejoin left: move one of the two away.",
        )
    try:
        if not kept.is_dir():
            kept.mkdir(mode=0o700)
            os.chown(kept, node.account.uid, node.account.gid)
        _copy(node, node.data, kept)
        node.data.rename(away)
    except OSError as error:
        raise ReplicationFailed(
            f"{node.data} cannot be renamed: {(error.strerror or str(error)).lower()}",
            hint="While it is rewound it must not be startable: run this as root, and not on a "
            "mount point.",
        ) from error
    return replace(node, data=away)


def rewind(node: LocalNode, spec: StandbySpec) -> str:
    """Run pg_rewind on a fenced folder; return what it said.

    Raises ServerFailed when it is not possible: the folder is then no longer usable as it was.
    """
    options = ("-D", node.data, f"--source-server={source(node.major, spec)}")
    return programs.run(
        (node.binaries.program("pg_rewind"), *options), account=node.account, folder=Path("/")
    )


def source(major: str, spec: StandbySpec) -> str:
    """Return the address that pg_rewind reads from; there is no password in it."""
    pairs = {"host": spec.host, "port": str(spec.port), "user": primary_state.REWIND}
    pairs |= {"dbname": DATABASE, **standby_config.KEEPALIVES}
    if spec.passfile and pg_versions.holds("conninfo_passfile_keyword", major):
        pairs["passfile"] = str(spec.passfile)
    return str(make_dsn(**pairs, **dict(spec.security)))


def restore(node: LocalNode, data: Path) -> None:
    """Give a fenced folder its own configuration back; what it had none of stays."""
    kept = kept_path(data)
    if kept.is_dir():
        _copy(node, kept, node.data)


def unfence(node: LocalNode, data: Path) -> LocalNode:
    """Give a folder its name again, once it can only start as a standby."""
    node.data.rename(data)
    kept = kept_path(data)
    for name in OWN:
        (kept / name).unlink(missing_ok=True)
    if kept.is_dir():
        kept.rmdir()
    return replace(node, data=data)


def _copy(node: LocalNode, source: Path, target: Path) -> None:
    for name in OWN:
        if (source / name).is_file():
            standby_config.write_owned(
                target / name, standby_config.read_owned(source / name, node.account), node.account
            )

"""The command that runs a server: who may come in, and by which door."""

from collections.abc import Mapping
from types import MappingProxyType

from collec_migrations.postgres import sockets
from collec_migrations.postgres.account import Account
from collec_migrations.postgres.cluster import PORT, Cluster

UNPRIVILEGED = "throwaway_unprivileged"
"""A role for what is not to be trusted, where one is made."""
NOTHING: Mapping[str, str] = MappingProxyType({})
SINCE = {"jit": 11}
"""An older server does not start with a setting that it does not know."""
BY_SOCKET = "local all all peer map=collec\n"
BY_PASSWORD = "host all all 127.0.0.1/32 scram-sha-256\n"
"""The superuser has no password: only a role that was given one comes in."""


def command(cluster: Cluster, settings: Mapping[str, str] = NOTHING) -> tuple[str, ...]:
    """Return the command of a server that is reached by its socket alone."""
    return _command(cluster, BY_SOCKET, {"listen_addresses": "", "port": str(PORT), **settings})


def command_with_tcp(
    cluster: Cluster, port: int, settings: Mapping[str, str] = NOTHING
) -> tuple[str, ...]:
    """Return the command of a server that also takes passwords on 127.0.0.1."""
    door = {"listen_addresses": "127.0.0.1", "port": str(port)}
    return _command(cluster, BY_SOCKET + BY_PASSWORD, {**door, **settings})


def identities(account: Account, superuser: str) -> str:
    """Return who may be the superuser: the server's account, and root, who may do all anyway.

    The same may be the role that has no rights, for what is not to be trusted.
    """
    names = dict.fromkeys(("root", account.name))
    roles = (superuser, UNPRIVILEGED)
    return "".join(f'collec "{name}" {role}\n' for name in names for role in roles)


def _command(cluster: Cluster, hba: str, settings: Mapping[str, str]) -> tuple[str, ...]:
    """Write what the server reads, and return its command.

    What must hold is on the command line: it wins over an edited postgresql.conf, and is right
    again after the folder was moved.
    """
    who = identities(cluster.account, cluster.superuser)
    settings = {
        "hba_file": _written(cluster, "pg_hba.conf", hba),
        "ident_file": _written(cluster, "pg_ident.conf", who),
        "unix_socket_directories": str(sockets.folder_for(cluster.home, cluster.account)),
        "unix_socket_permissions": "0700",
        "logging_collector": "off",
        "log_destination": "stderr",
        **settings,
    }
    major = cluster.binaries.major
    known = {name: value for name, value in settings.items() if major >= SINCE.get(name, 0)}
    options = [word for name, value in known.items() for word in ("-c", f"{name}={value}")]
    return (str(cluster.binaries.program("postgres")), "-D", str(cluster.data), *options)


def _written(cluster: Cluster, name: str, text: str) -> str:
    """Write a file as the account: root would follow a link that the account laid."""
    path = cluster.home / name
    cluster.run("/bin/sh", "-c", 'cat >"$1"', "sh", path, text=text)
    return str(path)

"""Ask whether a PostgreSQL server is there at all, without coming in: no account is needed.

Messages of a failed connection are in the server's language; what is on the wire is not.
"""

import socket
import struct
from contextlib import suppress

SSL_REQUEST = struct.pack("!ii", 8, 80877103)
"""Every server since 7.1 answers it with one letter (PostgreSQL manual, 55.2.11)."""


def speaks(host: str, port: int, *, patience: float) -> bool:
    """Tell whether a PostgreSQL server answers on a host, or in a socket's folder."""
    with suppress(OSError), _connected(host, port, patience) as door:
        door.settimeout(patience)
        door.sendall(SSL_REQUEST)
        return door.recv(1) in (b"S", b"N", b"E")
    return False


def _connected(host: str, port: int, patience: float) -> socket.socket:
    if not host.startswith("/"):
        return socket.create_connection((host, port), timeout=patience)
    door = socket.socket(socket.AF_UNIX)
    try:
        door.settimeout(patience)
        door.connect(f"{host}/.s.PGSQL.{port}")
    except OSError:
        door.close()
        raise
    return door

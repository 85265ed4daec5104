"""Where a command finds its database: as it was told, else the embedded server of the folder."""

from pathlib import Path

from collec_migrations.addresses import Address
from collec_migrations.server import embedded
from collec_migrations.server.place import Say
from collec_migrations.settings import Settings


def address(settings: Settings, *, say: Say) -> Address:
    """Return the address that was told; else start the embedded server when needed."""
    return settings.address or embedded_address(say=say)


def embedded_address(*, say: Say) -> Address:
    """Start the embedded server of the current folder when needed; return its address."""
    return Address(embedded.ensure_running(Path.cwd(), say=say).dsn)

"""What a clone is asked to be: of which primary, into which folder, under which name."""

import re
import socket
from dataclasses import dataclass
from pathlib import Path

from psycopg2.extensions import make_dsn, parse_dsn

from collec_migrations.errors import UsageError
from collec_migrations.postgres import conninfo
from collec_migrations.postgres.conninfo import Address
from collec_migrations.replica import accounts, configuration
from collec_migrations.replica.configuration import Upstream

DATABASE = "postgres"
"""Where questions to the primary are asked; a base backup needs no database."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A standby that is to be made."""

    host: str
    port: int
    user: str
    security: tuple[tuple[str, str], ...]
    data: Path
    """Absolute, without links."""
    name: str
    passfile: Path | None = None
    """Absolute; None: ~/.pgpass of the account that owns the data."""
    bin_dir: Path | None = None
    own_port: int | None = None
    """The port of the standby, when it is not what the configuration says."""
    own_listen: str | None = None
    replace: bool = False
    """Move a stopped cluster of another system aside, too."""
    patience: float = 120.0
    """Seconds until it has to stream once it was started."""
    silence: float = 600.0
    """Seconds without a byte after which the copy is given up."""

    @property
    def slot(self) -> str:
        """Return the standby's slot on the primary."""
        return configuration.slot_of(self.name)

    @property
    def shown(self) -> str:
        """Return the primary, for messages."""
        return f"{self.host}:{self.port}"

    @property
    def partial(self) -> Path:
        """Return where the clone is until it is complete."""
        return self.data.with_name(f"{self.data.name}.partial")

    def upstream(self, passfile: Path) -> Upstream:
        """Return what the standby is told of its primary."""
        return Upstream(
            host=self.host,
            port=self.port,
            user=self.user,
            name=self.name,
            slot=self.slot,
            passfile=passfile,
            security=self.security,
        )

    def address(self, password: str) -> Address:
        """Return the way to the primary's database; it holds the password."""
        pairs = {"host": self.host, "port": str(self.port), "user": self.user}
        # A password of our own: PGPASSWORD would hide that the standby's file is wrong.
        pairs |= {"dbname": DATABASE, "password": password, "connect_timeout": "10"}
        # The copy may take hours, while this connection has nothing to say.
        pairs |= {"keepalives_idle": "20", "keepalives_interval": "10", "keepalives_count": "3"}
        return Address(str(make_dsn(**pairs, **dict(self.security))))


def order(primary: str, data: Path, *, name: str | None, passfile: Path | None = None) -> Order:
    """Return the order that these words give; raise UsageError for what no standby can use."""
    address = conninfo.parse(primary, source="--primary")
    if address.password:
        raise UsageError(
            "--primary holds a password, which all could read in the list of processes",
            hint="Put it into a password file (mode 0600) and name that with --passfile.",
        )
    parts = {key: str(value) for key, value in parse_dsn(address.dsn).items()}
    host = parts.get("hostaddr") or parts.get("host", "")
    if not host or host.startswith("/") or "," in host:
        raise UsageError(
            "--primary has to name one host, by which the standby will reach it",
            hint="For example: --primary postgresql://rep@db1.lab.example:5432",
        )
    called = name or socket.gethostname().partition(".")[0]
    if not re.fullmatch(r"[A-Za-z0-9][\w.-]{0,57}", called, re.ASCII):
        raise UsageError(f"--name {called!r} is not letters, digits, `.`, `-` or `_`")
    return Order(
        host=host,
        port=int(parts.get("port", "5432")),
        user=parts.get("user", accounts.REP),
        security=tuple((key, parts[key]) for key in configuration.SECURITY if key in parts),
        data=data.resolve(),
        name=called,
        passfile=passfile.absolute() if passfile else None,
    )

"""Run PostgreSQL's own dump programs: find them, hand them a connection, dump, restore."""

import contextlib
import os
import pwd
import re
import shutil
import subprocess
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from psycopg2.extensions import make_dsn, parse_dsn

from collec_migrations.backup.store import Backup
from collec_migrations.errors import BackupDamaged, BackupFailed, RestoreRefused, UsageError
from collec_migrations.postgres import binaries, connection, pg_versions, programs, sizes
from collec_migrations.postgres.conninfo import Address
from collec_migrations.postgres.sizes import LOOK, Advance

NEEDED = ("pg_dump", "pg_dumpall", "pg_restore")
GZIP_LEVELS = {False: 3, True: 1}
"""For rows, and for a database that is mostly documents.

gzip 9 takes twice as long as 3 for two per cent; on documents, 3 takes 1.6 times as long as 1 for
less than one per cent (benchmarks/backup.py).
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Programs:
    """pg_dump, pg_dumpall and pg_restore of one version."""

    bin_dir: Path
    version: str

    @property
    def major(self) -> float:
        """Return the major: two numbers up to 9.6."""
        return pg_versions.number_of(self.version)

    def program(self, name: str) -> str:
        """Return the path of a program."""
        return str(self.bin_dir / name)

    def has_zstd(self) -> bool:
        """Tell whether this build compresses by zstd: asked of the program, without a server."""
        if not pg_versions.holds("dump_zstd", f"{self.major:g}"):
            return False
        command = (self.program("pg_dump"), "-w", "-Fc", "--compress=zstd:3", "-f", os.devnull)
        return "does not support" not in _told(*command, "-d", "host=/nonexistent")

    def reads(self, compression: str) -> bool:
        """Tell whether this build reads archives of a compression."""
        return not compression.startswith("zstd") or self.has_zstd()


def in_folder(bin_dir: Path) -> Programs | None:
    """Return the tools of a folder, None when it does not hold them all."""
    if not all((bin_dir / name).is_file() for name in NEEDED):
        return None
    version = re.search(r"\d+(\.\d+)*", _told(str(bin_dir / "pg_dump"), "--version"))
    return Programs(bin_dir=bin_dir, version=version[0]) if version else None


def for_server(major: float, bin_dir: Path | None = None, *, reading: str = "") -> Programs:
    """Return the tools of a server's own major, or those of `bin_dir`, which may be newer.

    `reading` is the compression of an archive that they have to read.
    """
    if bin_dir is not None:
        return _given(major, bin_dir)
    for found in at_hand():
        if found.major == major and found.reads(reading):
            return found
    raise BackupFailed(
        f"no pg_dump of PostgreSQL {major} on this machine",
        hint=f"Install postgresql-client-{major}, or say with --bindir where it is.",
    )


def at_hand() -> Iterator[Programs]:
    """Yield the tools of this machine: those of a whole server before those on the path."""
    folders = [one.bin_dir for one in binaries.at_hand()]
    for pattern in binaries.SYSTEM:
        folders += sorted(Path("/").glob(pattern.format(major="*").lstrip("/")))
    folders += [Path(one) for one in os.environ.get("PATH", "").split(os.pathsep) if one]
    for folder in dict.fromkeys(folders):
        found = in_folder(folder)
        if found is not None:
            yield found


def compression(tools: Programs, *, quick: bool) -> str:
    """Return the best compression of a build: zstd, which is quick and small, else gzip."""
    return "zstd:3" if tools.has_zstd() else f"gzip:{GZIP_LEVELS[quick]}"


def _given(major: float, bin_dir: Path) -> Programs:
    found = in_folder(bin_dir)
    if found is None:
        raise UsageError(
            f"{bin_dir} does not hold {', '.join(NEEDED)}",
            hint="Give the `bin` folder of a PostgreSQL.",
        )
    if found.major < major:
        raise BackupFailed(
            f"pg_dump {found.version} is older than the server, PostgreSQL {major}",
            hint=f"Install postgresql-client-{major}: an older one leaves things out.",
        )
    return found


def _told(*command: str) -> str:
    """Return what a program says, wherever it says it."""
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        env=programs.environment(),
        check=False,
    )
    return done.stdout + done.stderr


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """How a program of PostgreSQL reaches a database."""

    dsn: str
    """For the command line: everything but the password."""
    environment: Mapping[str, str] = field(repr=False)
    descriptors: tuple[int, ...]
    """What the program has to inherit."""
    secret: str = field(repr=False)
    account: str = ""
    """Whom root has to be for the server's peer authentication; empty: ourselves."""

    def without_secret(self, text: str) -> str:
        """Return a text with the password struck out."""
        return text.replace(self.secret, "***") if self.secret else text

    def start(self, command: tuple[str, ...], *inherited: int) -> subprocess.Popen[bytes]:
        """Start a program with this connection; its messages are read from `stderr`."""
        return subprocess.Popen(
            (*_as_account(self.account), *command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(self.environment),
            umask=0o077,
            pass_fds=(*self.descriptors, *inherited),
        )


def on_database(address: Address, dbname: str) -> Address:
    """Return the address of another database on the same server."""
    return Address(str(make_dsn(address.dsn, dbname=dbname)))


@contextmanager
def connecting(address: Address, environ: Mapping[str, str] = os.environ) -> Iterator[Client]:
    """Give the connection for programs: the password lies in a file that exists in memory alone."""
    dsn, account = connection.way_in(address)
    parts = parse_dsn(dsn)
    parts.pop("client_encoding", None)
    if parts.pop("sslpassword", None):
        raise UsageError(
            "the address holds sslpassword, which cannot be handed on safely",
            hint="Use a client key without a passphrase, readable by its owner alone.",
        )
    inherited = {name: text for name, text in environ.items() if not name.startswith("COLLEC_")}
    secret = inherited.pop("PGPASSWORD", "")
    secret = parts.pop("password", secret)
    environment = {**inherited, "LC_ALL": "C", "PGAPPNAME": "collec-migrations"}
    if not secret:
        yield Client(
            dsn=_dsn(parts), environment=environment, descriptors=(), secret="", account=account
        )
        return
    parts.pop("passfile", None)
    # A file on the disk would stay when we are killed.
    descriptor = os.memfd_create("passfile")
    try:
        os.fchmod(descriptor, 0o600)  # libpq ignores a file that others may read
        os.write(descriptor, _line(secret).encode())
        environment["PGPASSFILE"] = f"/proc/self/fd/{descriptor}"
        yield Client(
            dsn=_dsn(parts), environment=environment, descriptors=(descriptor,), secret=secret,
            account=account,
        )  # fmt: skip
    finally:
        os.close(descriptor)


def _as_account(name: str) -> tuple[str, ...]:
    """Return the words before a program that make it another account's, with root's files only.

    The server sees the account; the folder of the backups may be root's alone.
    """
    if not name or not shutil.which("setpriv"):
        return ()
    entry = pwd.getpwnam(name)
    return (
        "setpriv", f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--init-groups",
        "--inh-caps=+dac_override", "--ambient-caps=+dac_override",
        "--securebits=+no_setuid_fixup", "--",  # else access(2), which pg_restore asks, says no
    )  # fmt: skip


def _dsn(parts: Mapping[str, str]) -> str:
    return str(make_dsn(**parts)) if parts else ""


def _line(password: str) -> str:
    if "\n" in password:
        raise UsageError("the password holds a line break, which no password file can hold")
    escaped = password.replace("\\", "\\\\").replace(":", "\\:")
    return f"*:*:*:*:{escaped}\n"


CUSTOM = "data.dump"
DIRECTORY = "data"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dump:
    """How pg_dump is to be called."""

    tools: Programs
    folder: Path
    compression: str
    snapshot: str
    jobs: int
    lock_wait: float

    @property
    def form(self) -> str:
        """Return the name of the archive's format."""
        return "directory" if self.jobs > 1 else "custom"


def dump_command(dump: Dump, dsn: str) -> tuple[str, ...]:
    """Return the command of pg_dump; `dsn` holds no password."""
    named = pg_versions.holds("dump_zstd", f"{dump.tools.major:g}")
    level = dump.compression.partition(":")[2]
    words = [
        dump.tools.program("pg_dump"),
        "--no-password",
        f"--dbname={dsn}",
        f"--lock-wait-timeout={round(dump.lock_wait * 1000)}",
        f"--compress={dump.compression if named else level}",
        f"--format={dump.form}",
        f"--file={archive(dump.folder, dump.form)}",
    ]
    words += [f"--snapshot={dump.snapshot}"] if dump.snapshot else []
    words += [f"--jobs={dump.jobs}"] if dump.jobs > 1 else []
    return tuple(words)


def archive(folder: Path, form: str) -> Path:
    """Return where the archive is in a backup's folder."""
    return folder / (DIRECTORY if form == "directory" else CUSTOM)


@contextmanager
def dumping(dump: Dump, client: Client, *, lock: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run pg_dump beside this block, and end it when the block fails."""
    with client.start(dump_command(dump, client.dsn), lock) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.terminate()


def wait_for_dump(
    process: subprocess.Popen[bytes], dump: Dump, client: Client, expected: int, advance: Advance
) -> None:
    """Wait for the end of pg_dump; raise `BackupFailed` when it fails."""
    messages: list[bytes] = []
    reader = threading.Thread(target=lambda: messages.extend(process.stderr or ()), daemon=True)
    reader.start()
    while process.poll() is None:
        advance(sizes.of_folder(dump.folder), expected)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(LOOK)
    reader.join()
    size = sizes.of_folder(dump.folder)
    advance(size, size)
    if process.returncode != 0:
        told = client.without_secret(b"".join(messages).decode(errors="replace"))
        status = process.returncode
        how = f"was killed by signal {-status}" if status < 0 else f"failed with status {status}"
        raise BackupFailed(f"pg_dump {how}", hint=programs.last_words(told))


JOBS = 2
ENTRY = re.compile(r"\d+; \d+ \d+ (?P<rest>.*)")
"""A line of the table of contents; line breaks within names are blanks there."""
NOT_HERE = ("is not available", "could not open extension control file")
NOT_ALLOWED = ("permission denied", "must be superuser", "must be owner", "must be a superuser",
               "must be able to set role", "must be member of")  # fmt: skip
NOT_NOW = ("No space left on device", "closed the connection", "connection to server")
"""What a server says of itself, not of the backup."""


def load_fast(
    backup: Backup, tools: Programs, client: Client, without: Collection[str] = ()
) -> None:
    """Restore into a database that nobody needs when this fails; it has no tablespaces.

    Entries that begin with one of `without` are left out.
    """
    left_out = tuple(without)
    wanted = [
        line
        for line in _read(backup, tools, client, "--list").splitlines()
        if (entry := ENTRY.match(line)) is None or not entry["rest"].startswith(left_out)
    ]
    _run_entries(backup, tools, client, wanted, f"--jobs={JOBS}", "--no-tablespaces")


def entries(backup: Backup, tools: Programs, client: Client) -> tuple[str, ...]:
    """Return the table of contents of the archive: `SCHEMA - col owner`."""
    listed = _read(backup, tools, client, "--list").splitlines()
    return tuple(found["rest"] for line in listed if (found := ENTRY.match(line)))


def load_whole(
    backup: Backup, tools: Programs, client: Client, schemas: Sequence[str] = ()
) -> None:
    """Restore in one transaction: all of the backup, or these schemas."""
    chosen = [f"--schema={name}" for name in schemas]
    try:
        _run(backup, tools, client, "--single-transaction", *chosen)
    except BackupDamaged as error:  # every checksum is right: the target or the role refuses
        raise RestoreRefused(
            f"the target does not take {backup.id}; nothing was restored", hint=error.hint
        ) from error


def load_schemas(backup: Backup, tools: Programs, client: Client, names: Collection[str]) -> None:
    """Make schemas themselves, with owner and rights: `--schema` leaves that out.

    What is restored is chosen from the archive's own table of contents, by entry: a line of a
    function's body is none.
    """
    listed = _read(backup, tools, client, "--list")
    wanted = [line for line in listed.splitlines() if _makes_schema(line, names)]
    _run_entries(backup, tools, client, wanted, "--single-transaction")


def _run_entries(
    backup: Backup, tools: Programs, client: Client, wanted: Sequence[str], *words: str
) -> None:
    """Restore chosen lines of the table of contents, told in a file that exists in memory alone."""
    descriptor = os.memfd_create("entries")
    try:
        with os.fdopen(os.dup(descriptor), "wb") as file:
            file.write("\n".join(wanted).encode())
        inherited = replace(client, descriptors=(*client.descriptors, descriptor))
        _run(backup, tools, inherited, *words, f"--use-list=/proc/self/fd/{descriptor}")
    finally:
        os.close(descriptor)


def script(backup: Backup, tools: Programs, client: Client) -> str:
    """Return the statements of the archive, without the rows."""
    return _read(backup, tools, client, "--schema-only", "--file=-")


def _makes_schema(line: str, names: Collection[str]) -> bool:
    """Tell an entry such as `7; 2615 16385 SCHEMA - col owner`, `8; 0 0 ACL - SCHEMA col owner`."""
    entry = ENTRY.match(line)
    if entry is None:
        return False
    rest = entry["rest"]
    beginnings = [f"{kind} {name} " for kind in ("SCHEMA -", "ACL - SCHEMA") for name in names]
    return rest.startswith(tuple(beginnings))


def _read(backup: Backup, tools: Programs, client: Client, *words: str) -> str:
    where = archive(backup.path, backup.manifest.archive)
    with client.start((tools.program("pg_restore"), *words, str(where))) as process:
        out, messages = process.communicate()
    if process.returncode != 0:
        words_of_it = programs.last_words(messages.decode(errors="replace"))
        raise BackupDamaged(f"the archive of {backup.id} cannot be read", hint=words_of_it)
    return out.decode(errors="replace")


def _run(backup: Backup, tools: Programs, client: Client, *options: str) -> None:
    where = archive(backup.path, backup.manifest.archive)
    command = (
        tools.program("pg_restore"),
        "--no-password",
        "--exit-on-error",
        f"--dbname={client.dsn}",
        *options,
        str(where),
    )
    with client.start(command) as process:
        _, messages = process.communicate()
    if process.returncode == 0:
        return
    said = client.without_secret(messages.decode(errors="replace"))
    reported = said.find("ERROR:")  # what follows it, as a HINT, may have many lines
    words = (
        programs.last_words(said) if reported < 0 else " | ".join(said[reported:].split("\n")[:4])
    )
    if any(part in words for part in NOT_HERE):
        raise RestoreRefused(
            "the server lacks an extension that the backup needs",
            hint=f"Install it there, or use another server. {words}",
        )
    if any(part in words.lower() for part in NOT_ALLOWED):
        raise RestoreRefused(
            f"{backup.id} holds what this role may not restore",
            hint=f"Only a superuser can, who should trust whoever made the backup. {words}",
        )
    if any(part in words for part in NOT_NOW):
        raise BackupFailed(f"the server did not hold out while {backup.id} came in", hint=words)
    raise BackupDamaged(f"{backup.id} does not restore", hint=words)

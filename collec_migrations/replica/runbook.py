"""The site's own page for a bad night: addresses, commands in order, how to check. Pure."""

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from collec_migrations.postgres import pg_versions
from collec_migrations.replica import nodes, standby_config
from collec_migrations.replica.states import Node, Up

PROGRAM = "collec-migrations replica"
UNKNOWN = "DATA_FOLDER"
PRIMARY = "PRIMARY"
LIST = "   "
"""What belongs to a point of a numbered list stands so far in."""
LATEST = pg_versions.KNOWN[-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What the page is about."""

    nodes: tuple[Node, ...]
    primary: str
    """Name of the present primary; empty: none answered."""
    application: tuple[str, ...]
    """What to change in the application's files when NEW_HOST is the primary."""
    written: str
    """The day on which the page is made."""


def page(site: Site) -> Iterator[str]:
    """Yield the lines of the page, in Markdown; there is no password in it."""
    found = target_of(site.nodes, site.primary)
    target = found.name if found else "STANDBY"
    yield "# PostgreSQL: what to do in a bad night"
    yield ""
    yield f"Written on {site.written} by `{PROGRAM} status --report FILE`; write it anew when a"
    yield "server changes, and print it: this page must be at hand when the servers are not."
    yield ""
    yield from _servers(site)
    yield from _look()
    yield from _fail_over(site, target)
    yield from _come_back(site)
    yield from _switch(site, target)
    yield from _by_hand(site, target)
    yield from _check()


def target_of(nodes: Sequence[Node], primary: str) -> Node | None:
    """Return the node to fail over to: a standby that answers; None when there is none."""
    others = (one for one in nodes if one.name != primary)
    return next((one for one in others if isinstance(one, Up) and one.in_recovery), None)


def _servers(site: Site) -> Iterator[str]:
    yield "## The servers"
    yield ""
    yield "| name | role | host | port | PostgreSQL | data folder |"
    yield "|---|---|---|---|---|---|"
    for one in site.nodes:
        role = "standby" if isinstance(one, Up) else "not known"
        role = "primary" if one.name == site.primary else role
        release = one.release if isinstance(one, Up) else "did not answer"
        yield f"| {one.name} | {role} | {one.host} | {one.port} | {release} | {_data(one)} |"
    yield ""
    yield "Commands find them in `collec-nodes.toml` of the current folder, or by `COLLEC_NODES`."
    yield "Passwords are in `~/.pgpass` (mode 0600) of the account that runs the command."
    yield ""


def _look() -> Iterator[str]:
    yield "## 1. Look, before anything else"
    yield ""
    yield from _code(f"{PROGRAM} status")
    yield "0: all is well, and the trouble is elsewhere. 1: read what it says. 3: something is"
    yield "broken: go on here. Two primaries: stop the application at once, then section 3."
    yield ""


def _fail_over(site: Site, target: str) -> Iterator[str]:
    primary = site.primary or PRIMARY
    yield f"## 2. {primary} is lost: fail over to {target}"
    yield ""
    yield f"1. Be certain that {primary} is off and stays off: power, network, or its service"
    yield "   (`systemctl disable --now postgresql` there). Two primaries lose data."
    yield f"2. On the machine of {target}, as postgres or root:"
    yield ""
    words = f"{PROGRAM} promote {target}"
    yield from _code(words, f"{words} --yes", indent=LIST)
    yield "   It refuses while the primary answers, while replay is paused, and when another"
    yield "   standby has more: do what it says instead of forcing it."
    yield f"3. Point the application to {target}:"
    yield ""
    yield from _code(*site.application, kind="text", indent=LIST)
    yield "4. Section 6, then take a backup: the standby is a primary now, and alone."
    yield ""


def _come_back(site: Site) -> Iterator[str]:
    yield "## 3. A server comes back"
    yield ""
    yield "Never start its PostgreSQL by hand first. On its machine, as root:"
    yield ""
    words = (("rejoin", "--data", _data(one), "--name", one.name) for one in site.nodes)
    yield from _code(*(f"{PROGRAM} {shlex.join(each)}   # on {each[-1]}" for each in words))
    yield "It shows what it would do, `--yes` does it: attached as it is, or rewound (what it wrote"
    yield "alone is lost), or cloned anew (the old folder is moved aside, not deleted)."
    yield ""


def _switch(site: Site, target: str) -> Iterator[str]:
    yield "## 4. Planned: exchange the roles"
    yield ""
    yield "Tell the users; it takes some seconds. On the machine of the present primary, as root:"
    yield ""
    one = next((one for one in site.nodes if one.name == site.primary), None)
    name, data = (one.name, _data(one)) if one else (PRIMARY, UNKNOWN)
    if pg_versions.text("sql_promote", _major(site)):
        words = ("promote", target, "--switchover", "--data", data, "--name", name)
        yield from _code(f"{PROGRAM} {shlex.join(words)}")
    else:
        yield from _switch_by_hand(site, name, data, target)
    yield "Nothing is promoted before the standby is proved to have everything. Then change the"
    yield "application as in section 2."
    yield ""


def _switch_by_hand(site: Site, primary: str, data: str, target: str) -> Iterator[str]:
    """Yield the steps where a standby is promoted on its own machine alone (up to 11)."""
    replay = pg_versions.text("fn_replay_lsn", _major(site))
    rejoin = ("rejoin", "--data", data, "--name", primary)
    yield from _code(
        f"service postgresql stop                      # on {primary}",
        f"pg_controldata {data}              # must say: shut down",
        f'psql -c "select {replay}()"                  # on {target}',
        "# go on only when that is more than `Latest checkpoint location`; else start it again",
        f"{PROGRAM} promote {target} --data {UNKNOWN} --yes   # on {target}",
        f"{PROGRAM} {shlex.join(rejoin)} --yes   # on {primary}",
    )


def _by_hand(site: Site, target: str) -> Iterator[str]:
    """Yield what to do when this tool is not there."""
    major = _major(site)
    standby = next((one for one in site.nodes if one.name == target), None)
    data = _data(standby) if standby else UNKNOWN
    receive, replay = (pg_versions.text(f"fn_{name}_lsn", major) for name in ("receive", "replay"))
    yield f"## 5. Without this tool (PostgreSQL {major})"
    yield ""
    yield f"As postgres, on the machine of {target}. Is all replayed that it received? The first"
    yield "two have to be the same, and the last one false:"
    yield ""
    paused = pg_versions.text("fn_replay_paused", major)
    yield from _code(f'psql -c "select {receive}(), {replay}(), {paused}()"')
    resume = nodes.resume_function(major)
    yield f"When it is paused: `select {resume}()`. Promote, then make a slot:"
    yield ""
    slot = standby_config.slot_of(site.primary or "primary")
    reserved = ", true" if pg_versions.text("bb_slot", major) else ""
    promote = (
        'psql -c "select pg_promote(true, 60)"'
        if pg_versions.text("sql_promote", major)
        else f"runuser -u postgres -- pg_ctl -D {data} promote"
    )
    yield from _code(
        promote,
        'psql -c "checkpoint"',
        f"psql -c \"select pg_create_physical_replication_slot('{slot}'{reserved})\"",
    )
    yield "The old primary must not start: move its data folder aside until it can be rejoined."
    yield ""


def _check() -> Iterator[str]:
    yield "## 6. Check"
    yield ""
    yield from _code(f"{PROGRAM} status", "collec-migrations verify")
    yield "One primary; every standby on the same timeline, `ok`, 0 B behind. Log in to the"
    yield "application, create a sample and delete it. Write down what happened, and when."


def _major(site: Site) -> str:
    return next((one.major for one in site.nodes if isinstance(one, Up)), LATEST)


def _data(node: Node) -> str:
    return node.settings.get("data_directory", UNKNOWN) if isinstance(node, Up) else UNKNOWN


def _code(*lines: str, kind: str = "sh", indent: str = "") -> Sequence[str]:
    return [f"{indent}```{kind}", *(f"{indent}{line}" for line in lines), f"{indent}```", ""]

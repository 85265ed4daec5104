"""The site's own page for a bad night: addresses, commands in order, how to check. Pure."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from collec_migrations.postgres import pg_versions
from collec_migrations.replica import nodes, standby_config
from collec_migrations.replica.states import Node, Up

PROGRAM = "collec-migrations replica"
UNKNOWN = "DATA_FOLDER"
PRIMARY = "PRIMARY"
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


PAGE = """\
# PostgreSQL: what to do in a bad night

Written on {written} by `{program} status --report FILE`; write it anew when a
server changes, and print it: this page must be at hand when the servers are not.

## The servers

| name | role | host | port | PostgreSQL | data folder |
|---|---|---|---|---|---|
{servers}

Commands find them in `collec-nodes.toml` of the current folder, or by `COLLEC_NODES`.
Passwords are in `~/.pgpass` (mode 0600) of the account that runs the command.

## 1. Look, before anything else

```sh
{program} status
```

0: all is well, and the trouble is elsewhere. 1: read what it says. 3: something is
broken: go on here. Two primaries: stop the application at once, then section 3.

## 2. {primary} is lost: fail over to {target}

1. Be certain that {primary} is off and stays off: power, network, or its service
   (`systemctl disable --now postgresql` there). Two primaries lose data.
2. On the machine of {target}, as postgres or root:

   ```sh
   {program} promote {target}
   {program} promote {target} --yes
   ```

   It refuses while the primary answers, while replay is paused, and when another
   standby has more: do what it says instead of forcing it.
3. Point the application to {target}:

   ```text
   {application}
   ```

4. Section 6, then take a backup: the standby is a primary now, and alone.

## 3. A server comes back

Never start its PostgreSQL by hand first. On its machine, as root:

```sh
{rejoins}
```

It shows what it would do, `--yes` does it: attached as it is, or rewound (what it wrote
alone is lost), or cloned anew (the old folder is moved aside, not deleted).

## 4. Planned: exchange the roles

Tell the users; it takes some seconds. On the machine of the present primary, as root:

```sh
{switch}
```

Nothing is promoted before the standby is proved to have everything. Then change the
application as in section 2.

## 5. Without this tool (PostgreSQL {major})

As postgres, on the machine of {target}. Is all replayed that it received? The first
two have to be the same, and the last one false:

```sh
psql -c "select {receive}(), {replay}(), {paused}()"
```

When it is paused: `select {resume}()`. Promote, then make a slot:

```sh
{promote}
psql -c "checkpoint"
psql -c "select pg_create_physical_replication_slot('{slot}'{reserved})"
```

The old primary must not start: move its data folder aside until it can be rejoined.

## 6. Check

```sh
{program} status
collec-migrations verify
```

One primary; every standby on the same timeline, `ok`, 0 B behind. Log in to the
application, create a sample and delete it. Write down what happened, and when."""
BY_HAND = """\
service postgresql stop                      # on {primary}
pg_controldata {data}              # must say: shut down
psql -c "select {replay}()"                  # on {target}
# go on only when that is more than `Latest checkpoint location`; else start it again
{program} promote {target} --data {unknown} --yes   # on {target}
{program} {rejoin} --yes   # on {primary}"""
"""Where a standby is promoted on its own machine alone (up to 11)."""


def page(site: Site) -> str:
    """Return the page, in Markdown; there is no password in it."""
    present = next((one for one in site.nodes if one.name == site.primary), None)
    name, data = (present.name, _data(present)) if present else (PRIMARY, UNKNOWN)
    standby = target_of(site.nodes, site.primary)
    target = standby.name if standby else "STANDBY"
    major = _major(site)
    functions = {
        one: pg_versions.text(f"fn_{known}", major)
        for one, known in (("receive", "receive_lsn"), ("replay", "replay_lsn"),
                           ("paused", "replay_paused"))
    }  # fmt: skip
    words = ("promote", target, "--switchover", "--data", data, "--name", name)
    switch, promote = f"{PROGRAM} {shlex.join(words)}", 'psql -c "select pg_promote(true, 60)"'
    if not pg_versions.text("sql_promote", major):
        own = _data(standby) if standby else UNKNOWN
        promote = f"runuser -u postgres -- pg_ctl -D {own} promote"
        switch = BY_HAND.format(
            primary=name, data=data, replay=functions["replay"], target=target, program=PROGRAM,
            unknown=UNKNOWN, rejoin=shlex.join(("rejoin", "--data", data, "--name", name)),
        )  # fmt: skip
    rejoins = (("rejoin", "--data", _data(one), "--name", one.name) for one in site.nodes)
    return PAGE.format(
        **functions,
        written=site.written,
        program=PROGRAM,
        servers="\n".join(_row(one, site.primary) for one in site.nodes),
        primary=site.primary or PRIMARY,
        target=target,
        application="\n   ".join(site.application),
        rejoins="\n".join(f"{PROGRAM} {shlex.join(one)}   # on {one[-1]}" for one in rejoins),
        switch=switch,
        major=major,
        resume=nodes.resume_function(major),
        promote=promote,
        slot=standby_config.slot_of(site.primary or "primary"),
        reserved=", true" if pg_versions.text("bb_slot", major) else "",
    )


def _row(one: Node, primary: str) -> str:
    role = "standby" if isinstance(one, Up) else "not known"
    role = "primary" if one.name == primary else role
    release = one.release if isinstance(one, Up) else "did not answer"
    return f"| {one.name} | {role} | {one.host} | {one.port} | {release} | {_data(one)} |"


def target_of(nodes: Sequence[Node], primary: str) -> Node | None:
    """Return the node to fail over to: a standby that answers; None when there is none."""
    others = (one for one in nodes if one.name != primary)
    return next((one for one in others if isinstance(one, Up) and one.in_recovery), None)


def _major(site: Site) -> str:
    return next((one.major for one in site.nodes if isinstance(one, Up)), LATEST)


def _data(node: Node) -> str:
    return node.settings.get("data_directory", UNKNOWN) if isinstance(node, Up) else UNKNOWN

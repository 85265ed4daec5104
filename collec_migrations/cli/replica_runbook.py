"""The command `replica runbook`: the site's own page for a bad night."""

from datetime import date

import typer

from collec_migrations import replica
from collec_migrations.cli import options, replica_options
from collec_migrations.install import application_settings
from collec_migrations.replica import Down, Site


def runbook_(
    node_: replica_options.Nodes = None,
    file: replica_options.File = None,
    app: options.App = None,
    patience: replica_options.Patience = replica_options.DEFAULT_PATIENCE,
) -> None:
    """Print the page for a bad night (Markdown): addresses, commands in order, how to check."""
    named = replica.known_nodes(node_ or (), file)
    installation = options.installation(app)
    seen = replica.read_nodes(named, patience=patience)
    primary = replica.primary_of(seen)
    name = primary.name if primary else ""
    target = replica.target_of(seen, name) or seen[0]
    site = Site(
        nodes=seen,
        primary=name,
        application=application_settings.moved(target.host, target.port, installation),
        written=date.today().isoformat(),
    )
    typer.echo("\n".join(replica.page(site)))
    for one in seen:
        if isinstance(one, Down):
            options.say(f"note: {one.name} did not answer: its data folder is not on the page")

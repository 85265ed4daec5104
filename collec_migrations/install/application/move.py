"""What to change in the application's files when its database is on another server. Pure."""

from collec_migrations.install.application.installation import Installation


def lines(host: str, port: int, installation: Installation | None = None) -> tuple[str, ...]:
    """Return the lines to edit, each after the name of its file; both styles when not known."""
    modern = (
        ".env:",
        f"  database.default.hostname = {host}",
        f"  database.default.port = {port}",
    )
    known = dict(installation.connection) if installation else {"dbname": "collec"}
    known |= {"host": host, "port": str(port)}
    order = ("host", "port", "dbname", "sslmode")
    dsn = "pgsql:" + ";".join(f"{name}={known[name]}" for name in order if name in known)
    older = ("param/param.inc.php:", f'  $BDD_dsn = "{dsn}";', f'  $GACL_dsn = "{dsn}";')
    if installation is None:
        return ("up to 24.1, " + older[0], *older[1:], "from 25.0 on, " + modern[0], *modern[1:])
    if any(file.startswith("app/") for file in installation.files):
        return modern
    overriding = [file for file in installation.files if file.endswith(".ini")]
    return (
        *older,
        *(f"  (and BDD_dsn, GACL_dsn in {file}, if it has them)" for file in overriding),
    )

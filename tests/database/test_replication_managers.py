"""A program that manages the replication already is noticed by each of its signs."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from collec_migrations.errors import ManagedElsewhere
from collec_migrations.postgres.address import Address
from collec_migrations.replica import managers
from tests import chain
from tests.servers import Server


def names(found: tuple[managers.Manager, ...]) -> set[str]:
    return {one.name for one in found}


def test_a_plain_server_has_no_manager(any_server: Server) -> None:
    with chain.connected(any_server.address) as connection:
        assert managers.on_server(connection) == ()


def test_the_schema_of_repmgr_is_a_sign(database: Address) -> None:
    chain.execute(database, "create schema repmgr")
    with chain.connected(database) as connection:
        found = managers.on_server(connection)
    assert names(found) == {"repmgr"}
    with pytest.raises(ManagedElsewhere, match="repmgr is in charge of db1: the schema repmgr"):
        managers.refuse(found, where="db1")


@pytest.mark.parametrize("name", managers.IN_DATA)
def test_a_managers_file_in_the_data_folder_is_a_sign(name: str, tmp_path: Path) -> None:
    assert managers.in_folder(tmp_path) == ()
    (tmp_path / name).touch()
    assert names(managers.in_folder(tmp_path)) == {managers.IN_DATA[name]}


def test_a_managers_file_on_the_server_is_seen_by_a_superuser(database: Address) -> None:
    with chain.connected(database) as connection, connection.cursor() as cursor:
        cursor.execute("show data_directory")
        (folder,) = cursor.fetchone() or ("",)
        sign = Path(folder) / "patroni.dynamic.json"
        sign.touch()
        try:
            assert names(managers.on_server(connection)) == {"Patroni"}
        finally:
            sign.unlink()


def test_the_process_that_started_the_server_is_a_sign(tmp_path: Path) -> None:
    program = tmp_path / "patroni"
    data = tmp_path / "data"
    data.mkdir()
    # A child that waits in the data folder, as a server does, of a program named patroni.
    program.write_text(
        f"import subprocess\nchild = subprocess.Popen(['cat'], cwd={str(data)!r},"
        " stdin=subprocess.PIPE)\nprint(child.pid, flush=True)\ninput()\nchild.communicate()\n"
    )
    with subprocess.Popen(
        [sys.executable, str(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        pid = process.stdout.readline().strip()
        (data / "postmaster.pid").write_text(f"{pid}\n{data}\n1\n5432\n/tmp\n*\n1 1\nready   \n")
        assert names(managers.in_folder(data)) == {"Patroni"}
        process.communicate("\n")


@contextmanager
def answering(text: str) -> Iterator[int]:
    """Give the port of a server that says this."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def test_patroni_is_known_by_its_answer() -> None:
    told = json.dumps({"state": "running", "patroni": {"version": "4.1.5", "scope": "lab"}})
    with answering(told) as port:
        assert names(managers.by_rest("127.0.0.1", port)) == {"Patroni"}


@pytest.mark.parametrize("told", ["<html>", "[1]", '{"status": "ok"}'])
def test_another_service_on_that_port_is_none(told: str) -> None:
    with answering(told) as port:
        assert managers.by_rest("127.0.0.1", port) == ()
    assert managers.by_rest("127.0.0.1", port) == ()

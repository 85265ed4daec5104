"""What a run of the benchmarks keeps: figures, a page with ratios, a picture."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import __main__ as benches
from benchmarks import measuring, peers, picture, report
from benchmarks.measuring import Measurement, Results, Table

FOUND = [
    Measurement(group="upgrade", what="1.0.8 to 1.1", way=way, seconds=seconds, movements=size)
    for size in (10_000, 100_000)
    for way, seconds in (("alembic", 1.0), ("psql -1 -f", 0.05), ("dbmate", 0.5))
]
TABLE = Table(title="Round trips", columns=("run", "trips"), rows=(("fresh", "67"),))
RESULTS = Results(command="x", server="18.6", measurements=FOUND, tables=[TABLE])


def test_what_is_kept_is_read_again() -> None:
    assert Results.from_json(RESULTS.to_json()) == RESULTS


def test_the_page_has_every_figure_with_its_ratio_to_the_quickest_other() -> None:
    lines = report.page(RESULTS).splitlines()
    assert "|  | alembic | psql -1 -f | dbmate |" in lines
    assert "| 1.0.8 to 1.1, 10,000 movements | 1.00 s (20.0) | 50.0 ms (1.0) | 0.50 s (10.0) |" in (
        lines
    )
    assert "| fresh | 67 |" in lines


def test_ways_that_differ_from_thing_to_thing_stand_in_rows() -> None:
    few = [replace(FOUND[0], way="collec-migrations detect", what="detect"),
           replace(FOUND[1], way="collec-migrations verify", what="verify", bytes=2048),
           replace(FOUND[2], way="diff", what="verify")]  # fmt: skip
    text = report.page(replace(RESULTS, measurements=few))
    assert (
        "| verify, 10,000 movements | collec-migrations verify | 50.0 ms (0.1) | 2.0 kB |" in text
    )
    assert "| detect, 10,000 movements | collec-migrations detect | 1.00 s |  |" in text


def test_the_page_that_is_kept_is_made_of_the_figures_that_are_kept() -> None:
    kept = Results.from_json(measuring.KEPT.read_text("utf-8"))
    assert (measuring.FOLDER / "RESULTS.md").read_text("utf-8") == report.page(kept)
    assert (measuring.FOLDER / "results.svg").exists()
    assert {"install", "upgrade"} <= {one.group for one in kept.measurements}
    assert {one.group for one in kept.measurements} <= report.GROUPS.keys()


def test_what_was_measured_is_kept_when_the_next_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def found(told: object) -> Iterator[Measurement]:
        yield FOUND[0]
        raise RuntimeError("a program failed")

    monkeypatch.setattr(benches, "found", found)
    monkeypatch.setattr("os.getloadavg", lambda: (0.0, 0.0, 0.0))
    with pytest.raises(RuntimeError, match="a program failed"):
        benches.main(["--into", str(tmp_path / "new")])
    kept = Results.from_json((tmp_path / "new" / "results.json").read_text("utf-8"))
    assert kept.measurements == FOUND[:1]


def test_the_picture_shows_every_way(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="the group `bench` is not installed")
    picture.draw(RESULTS, tmp_path / "x.svg")
    text = (tmp_path / "x.svg").read_text("utf-8")
    assert all(f">{way}<" in text for way in ("alembic", "psql -1 -f", "dbmate"))


def test_a_program_that_is_not_installed_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(peers, "PLACES", {})
    assert peers.program("dbmate") is None
    assert peers.versions()["sqitch"] == "not installed"


def test_a_program_that_fails_stops_the_run() -> None:
    with pytest.raises(RuntimeError, match="failed"):
        peers.run(["/bin/sh", "-c", "exit 3"])


@pytest.mark.parametrize(("load", "published"), [(0.4, True), (1.0, True), (1.1, False)])
def test_figures_of_a_busy_machine_are_not_published(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], load: float, *, published: bool
) -> None:
    benches.publish(RESULTS, tmp_path, load=load)
    assert (tmp_path / "RESULTS.md").exists() is published
    assert ("not published: the machine was busy" in capsys.readouterr().err) is not published

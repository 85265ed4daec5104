"""What a run of the benchmarks keeps: figures, a page with ratios, nothing of a busy machine."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import __main__ as benches
from benchmarks import entries, measuring, report
from benchmarks.measuring import Entry, Row

ROWS = [
    Row(what="1.1 to 26.2", way="alembic", wall=1.2, cpu=0.9, aim="1.30"),
    Row(what="1.1 to 26.2", way="psql -1", wall=1.0, cpu=0.01, yardstick=True, bytes=2048),
    Row(what="detect", way="collec-migrations detect", wall=0.25),
]
KEPT = {"chain": Entry(rows=ROWS, server="18.6", busy=1.1)}


def test_what_is_kept_is_read_again() -> None:
    assert measuring.loads(measuring.dumps(KEPT)) == KEPT


def test_the_page_has_every_figure_with_its_ratio_to_the_yardstick() -> None:
    lines = report.page(KEPT).splitlines()
    assert "| 1.1 to 26.2 | alembic | 1.20 s | 0.90 s | 1.20 | 1.30 |  | 1 | 1.00 |" in lines
    assert "|  | psql -1 | 1.00 s | 10 ms | 1.00 |  | 2.0 kB | 1 | 1.00 |" in lines
    assert "| detect | collec-migrations detect | 0.25 s |  |  |  |  | 1 | 1.00 |" in lines
    assert any("took 1.10 times its processor time" in line for line in lines)


def test_the_page_that_is_kept_is_made_of_the_figures_that_are_kept() -> None:
    kept = measuring.loads((measuring.FOLDER / "results.json").read_text("utf-8"))
    assert (measuring.FOLDER / "RESULTS.md").read_text("utf-8") == report.page(kept)
    assert set(report.TITLES) == set(entries.ENTRIES)


@pytest.mark.parametrize(
    ("busy", "words", "status"), [(1.0, (), 0), (1.6, (), 1), (1.6, ("--anyway",), 0)]
)
def test_nothing_is_published_of_a_busy_machine(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    busy: float,
    words: tuple[str, ...],
    status: int,
) -> None:
    def step(_site: entries.Site, _size: entries.Size) -> Iterator[Row]:
        yield ROWS[0]

    monkeypatch.setattr(entries, "ENTRIES", {"chain": entries.chain, "step": step})
    monkeypatch.setattr(measuring, "probe", lambda: busy)
    before = measuring.dumps(KEPT)
    (tmp_path / "results.json").write_text(before)
    assert benches.main(["step", "--into", str(tmp_path), *words]) == status
    kept = measuring.loads((tmp_path / "results.json").read_text())
    if status:
        assert "busy with other work: step" in capsys.readouterr().err
        assert kept == KEPT
        assert not (tmp_path / "RESULTS.md").exists()
        assert [*measuring.loads((tmp_path / "unpublished.json").read_text())] == ["step"]
    else:
        assert [*kept] == ["chain", "step"], "what was measured before stays"
        assert (tmp_path / "RESULTS.md").read_text() == report.page(kept)


def test_what_fails_is_no_figure() -> None:
    with pytest.raises(RuntimeError, match="a reason"):
        measuring.process(["/bin/sh", "-c", "echo a reason; exit 1"])


def test_processor_time_is_that_of_the_process_and_its_children() -> None:
    busy = "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done"
    _, cpu = measuring.process(["/bin/sh", "-c", f"({busy}); sleep 0.1"])
    wall, idle = measuring.process(["/bin/sh", "-c", "sleep 0.3"])
    assert cpu > 3 * idle
    assert wall >= 0.3

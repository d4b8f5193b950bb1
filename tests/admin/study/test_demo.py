"""What the demo does besides running a federation; tests/integration/test_demo.py runs it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from rich.console import Console

from admin.__main__ import main
from admin.jobs.package import package_job
from admin.results.run_results import read_results
from admin.study import demo
from admin.study.demo_sites import PreparedSite
from tests.admin.results_folder import write_run


def test_the_summary_has_the_numbers_of_the_run(tmp_path: Path) -> None:
    results = read_results(write_run(tmp_path))
    prepared = [PreparedSite("north", tmp_path, 48, 0), PreparedSite("lake", tmp_path, 16, 3)]
    summary = demo.summarise(results, prepared, model=tmp_path / "model", seconds=12.34)
    assert {name: summary[name] for name in ("status", "rounds", "seconds")} == {
        "status": "ok",
        "rounds": 2,
        "seconds": 12.3,
    }
    assert summary["mean_recall_at_5"] == pytest.approx(0.65)
    assert summary["worst_recall_at_5"] == pytest.approx(0.55)
    found = [(site["name"], site["studies"], site["quarantined"]) for site in summary["sites"]]
    assert found == [("lake", 16, 3), ("north", 48, 0)]


def test_the_report_card_is_of_the_run_and_of_the_demos_own_sites(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    monkeypatch.setattr(demo, "write_report", lambda run, **given: asked.append((run, given)) or given["out"])
    results = read_results(write_run(tmp_path / "run"))
    demo.write_card(demo.Trained([], results, tmp_path / "evaluation"), tmp_path / "demo")
    given = {"evaluation": tmp_path / "evaluation", "sites": tmp_path / "demo" / "sites", "allow_examples": True}
    assert asked == [(tmp_path / "run", {"out": tmp_path / "demo"} | given)]


def test_what_prepare_found_is_said_for_each_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []

    def prepare(exports: Mapping[str, Path], out: Path, *, image_size: int) -> Iterator[PreparedSite]:
        sizes.append(image_size)
        return (PreparedSite(name, out / name, 9, 2) for name in exports)

    monkeypatch.setattr(demo, "prepare_sites", prepare)
    job = package_job("fedaid_pretrain", out=tmp_path, settings={"image_size": 48})
    console = Console(record=True, width=200)
    sites = demo.prepare_hospitals({"lake": tmp_path, "north": tmp_path}, tmp_path, job=job, console=console)
    assert [site.name for site in sites] == ["lake", "north"]
    assert sizes == [48], "the images must have the size that the job's model takes"
    assert console.export_text().splitlines() == [f"  {name}: 9 studies, 2 quarantined" for name in ("lake", "north")]


def test_a_folder_with_other_files_is_not_removed(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("keep me")
    with pytest.raises(FileExistsError, match="folder must be absent or a former demo's"):
        demo.new_folder(tmp_path)
    assert main(["demo", "--folder", str(tmp_path)]) == 1
    assert main(["demo", "--folder", str(tmp_path)]) == 1, (
        "the first refusal must leave no trace that the second trusts"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_failure_is_one_line_an_exit_code_and_a_summary(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("the job ended as FINISHED:ABORTED")

    monkeypatch.setattr(demo, "train", fail)
    assert main(["demo", "--folder", str(tmp_path / "demo")]) == 1
    assert capsys.readouterr().err == "error: the job ended as FINISHED:ABORTED\n"
    assert json.loads((tmp_path / "demo" / "summary.json").read_text())["status"] == "failed"

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

from rich.console import Console

from admin.results.result_table import show_table
from admin.results.run_results import read_results
from tests.admin.results_folder import write_run


def printed(folder: Path, width: int = 80) -> list[str]:
    stream = StringIO()
    show_table(read_results(write_run(folder)), Console(file=stream, width=width))
    return stream.getvalue().splitlines()


def row(lines: list[str], name: str) -> list[str]:
    return next(line.split() for line in lines if line.split()[:1] == [name])


def test_each_site_has_its_loss_recalls_in_percent_chance_and_weight(tmp_path: Path) -> None:
    lines = printed(tmp_path)
    assert row(lines, "lake") == ["lake", "10", "1.500", *["80"] * 3, *["70"] * 3, "25", "0.400"]
    assert row(lines, "north") == ["north", "30", "0.500", *["60"] * 3, *["50"] * 3, "25", "0.600"]


def test_worst_takes_the_highest_loss_and_the_lowest_recall(tmp_path: Path) -> None:
    lines = printed(tmp_path)
    assert row(lines, "mean") == ["mean", "1.000", *["70"] * 3, *["60"] * 3]
    assert row(lines, "worst") == ["worst", "1.500", *["60"] * 3, *["50"] * 3]


def test_it_fits_eighty_columns_without_a_cut_cell(tmp_path: Path) -> None:
    lines = printed(tmp_path)
    assert max(map(len, lines)) <= 80
    assert "…" not in "".join(lines)


def test_sites_that_trained_alone_have_their_own_models_and_no_weight(tmp_path: Path) -> None:
    file = write_run(tmp_path, best_round=-1) / "app_server" / "fedaid" / "results.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"site_weights": {}}))
    stream = StringIO()
    show_table(read_results(tmp_path), Console(file=stream, width=80))
    lines = stream.getvalue().splitlines()
    assert lines[0].startswith("Each site's best model, trained alone for 2 rounds.")
    assert row(lines, "lake")[-1] == "-"

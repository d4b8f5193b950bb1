from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from admin.site.prepare.presets.open_clip import open_clip
from fedaid.errors import InputError

Import = Callable[..., dict[str, Any]]


@pytest.mark.parametrize(("name", "separator"), [("t.tsv", "\t"), ("t.csv", "\t"), ("t.csv", ",")])
def test_a_path_and_a_title_are_a_study(
    name: str, separator: str, tmp_path: Path, write_picture: Callable[[str], Path], imported: Import
) -> None:
    for picture in ("x/a.png", "b.png"):
        write_picture(f"images/{picture}")
    lines = [("filepath", "title"), ("x/a.png", "Clear lungs."), ("./b.png", "Large heart.")]
    (tmp_path / name).write_text("".join(separator.join(line) + "\n" for line in lines))
    result = imported("open-clip", "images", name)
    assert sorted(row["text"] for row in result["rows"]) == ["Clear lungs.\n", "Large heart.\n"]
    assert (result["patients_unknown"], len({row["patient_id"] for row in result["rows"]})) == (2, 2)


def test_one_path_in_two_rows_is_paired_with_neither(
    tmp_path: Path, write_picture: Callable[[str], Path], imported: Import
) -> None:
    for picture in ("a.png", "b.png"):
        write_picture(f"images/{picture}")
    (tmp_path / "t.tsv").write_text("filepath\ttitle\na.png\tOne.\nb.png\tTwo.\n./a.png\tThree.\n")
    result = imported("open-clip", "images", "t.tsv", "--max-bad-share", "0.9")
    assert ([row["text"] for row in result["rows"]], result["quarantined"]) == (["Two.\n"], {"pair-ambiguous": 3})


def test_a_path_that_leads_out_is_not_read(
    tmp_path: Path, write_picture: Callable[[str], Path], imported: Import
) -> None:
    for picture in ("images/a.png", "out.png"):
        write_picture(picture)
    (tmp_path / "t.tsv").write_text(f"filepath\ttitle\na.png\tOne.\n../out.png\tTwo.\n{tmp_path / 'out.png'}\tThree.\n")
    result = imported("open-clip", "images", "t.tsv", "--max-bad-share", "0.9")
    assert (result["studies"], result["quarantined"]) == (1, {"image-outside-root": 2})


def test_another_table_is_refused_by_what_it_lacks(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("filepath,caption\na,b\n")
    with pytest.raises(InputError, match="must have the column title"):
        list(open_clip(tmp_path, tmp_path / "t.csv"))
    with pytest.raises(InputError, match="columns filepath and title"):
        list(open_clip(tmp_path, tmp_path))

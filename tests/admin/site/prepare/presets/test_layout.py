from __future__ import annotations

from pathlib import Path

import pytest

from admin.site.prepare.presets.layout import chexpert_labels, given_split, missing, path_below, table_in, view_of
from fedaid.errors import InputError


def test_words_of_all_data_sets_name_the_three_splits() -> None:
    words = ("train", "Training", "valid", "validate", "val", "dev", "test", "")
    assert [given_split(word, "t.csv, row 2") for word in words] == [
        *[("train",)] * 2, *[("valid",)] * 4, ("test",), (),
    ]  # fmt: skip


def test_another_word_is_refused_without_quoting_it() -> None:
    with pytest.raises(InputError, match=r"split must be one of .*t\.csv, row 2") as caught:
        given_split("SECRET", "t.csv, row 2")
    assert "SECRET" not in str(caught.value)


def test_only_known_views_are_kept() -> None:
    assert [view_of(word) for word in ("pa", "Lateral", "Frontal", "DOE", "")] == ["PA", "LATERAL", "FRONTAL", "", ""]


def test_findings_that_are_1_are_labels_and_those_that_are_minus_1_uncertain_ones() -> None:
    cells = {"edema": "1.0", "pneumonia": "-1.0", "fracture": "0", "no_finding": "", "pleural_other": "1", "x": "1"}
    assert chexpert_labels(cells) == "Edema|?Pneumonia|Pleural Other"
    assert chexpert_labels({"edema": "yes"}) == ""


def test_paths_are_below_the_folder_or_stay_what_they_are(tmp_path: Path) -> None:
    given = ("a/b.png", "./a//b.png", "a\\b.png", f"{tmp_path}/a/b.png", "../x", "/etc/x")
    assert [path_below(tmp_path, path) for path in given] == [*["a/b.png"] * 4, "../x", "/etc/x"]


def test_a_missing_table_is_named_with_its_preset(tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_text("")
    assert table_in(tmp_path, ("a.csv", "b.csv"), preset="p", of="--images").name == "b.csv"
    with pytest.raises(InputError, match=r"--images must hold c\.csv, .*: preset p\. Give the data set"):
        table_in(tmp_path, ("c.csv",), preset="p", of="--images")
    assert "hold x" in str(missing("--reports", "x", preset="p"))

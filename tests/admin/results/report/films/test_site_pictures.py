from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from admin.results.report.card import report_card
from admin.results.report.card_page import report_page
from admin.results.report.films.site_pictures import embedded, held_out_splits, site_pictures
from admin.results.report.run_files import RunFiles
from fedaid.data.manifest import read_manifest
from fedaid.errors import InputError
from fedaid.models.dual_encoder import DualEncoder
from fedaid.models.saved_model import load_model


def test_before_is_the_model_that_the_seed_draws(
    trained: Path, sites: Path, model: DualEncoder, tmp_path: Path
) -> None:
    found = site_pictures(trained, sites, allow_examples=False, scratch=tmp_path).summary["moments"]
    splits = held_out_splits(sites, tmp_path / "cache", model.configuration)
    for title, weights in (("before training", model), ("after training", load_model(trained))):
        cosines = [float(np.sum(i * t, axis=1).mean()) for i, t in embedded(weights, splits).values()]
        sizes = [len(split.texts) for split in splits.values()]
        assert found[title]["pair_cosine"] == pytest.approx(np.average(cosines, weights=sizes), abs=1e-6)
    assert found["before training"] != found["after training"]


def test_every_test_study_of_every_site_is_shown(
    trained: Path, sites: Path, consortium: dict[str, Path], tmp_path: Path
) -> None:
    found = site_pictures(trained, sites, allow_examples=False, scratch=tmp_path)
    expected = {
        site: sum(study.split == "test" for study in read_manifest(root).studies) for site, root in consortium.items()
    }
    assert found.summary["pairs_shown"] == expected
    for figure in found.figures.values():
        images = [line for line in figure.axes[0].lines if line.get_marker() == "o"]
        assert [len(np.asarray(line.get_xydata())) for line in images] == list(expected.values())


def test_nothing_is_left_where_images_were_decoded(trained: Path, sites: Path, tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    site_pictures(trained, sites, allow_examples=False, scratch=scratch)
    assert list(scratch.iterdir()) == []


def test_reports_and_images_are_in_the_page_only_if_allowed(
    trained: Path, sites: Path, consortium: dict[str, Path], plain: RunFiles, tmp_path: Path
) -> None:
    studies = [study for root in consortium.values() for study in read_manifest(root).studies]
    for allowed in (False, True):
        pictures = site_pictures(trained, sites, allow_examples=allowed, scratch=tmp_path)
        text = report_page(report_card(plain, pictures), pictures=pictures)
        assert ("<img" in text) == allowed
        assert any(study.text[:30] in text for study in studies) == allowed
        assert ("This page holds images and reports." in text) == allowed
        assert "it must stay where the data are" in text


def test_the_json_holds_no_point_and_no_report(trained: Path, sites: Path, plain: RunFiles, tmp_path: Path) -> None:
    pictures = site_pictures(trained, sites, allow_examples=True, scratch=tmp_path)
    card = report_card(plain, pictures)
    assert set(card["embedding"]) == {"pairs_shown", "moments"}
    assert card["examples"] == {"count": len(pictures.examples)}


def test_sites_without_a_test_split_are_refused(trained: Path, consortium: dict[str, Path], tmp_path: Path) -> None:
    root = shutil.copytree(next(iter(consortium.values())), tmp_path / "site")
    rows = (root / "manifest.csv").read_text().splitlines(keepends=True)
    (root / "manifest.csv").write_text("".join(row for row in rows if ",test," not in row))
    with pytest.raises(InputError, match=r"--sites must have a test split of at least 5 studies"):
        site_pictures(trained, root, allow_examples=False, scratch=tmp_path)

"""Two rounds on real radiographs with real text: five natural sites, split by patient."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import pytest

from admin.federation.simulate import simulate
from admin.results.run_results import read_results
from fedaid.data.manifest import read_manifest
from tests.integration.conftest import small_job
from tests.real_data import REAL_CXR, needs

pytestmark = [pytest.mark.slow, needs(REAL_CXR)]


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder per site, as its data manager would lay it out; nothing is copied into the project."""
    folder = tmp_path_factory.mktemp("real")
    with (REAL_CXR / "pairs.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for site in sorted({row["site"] for row in rows}):
        own = [row for row in rows if row["site"] == site]
        (folder / site / "images").mkdir(parents=True)
        with (folder / site / "manifest.csv").open("w", encoding="utf-8", newline="") as file:
            manifest = csv.writer(file)
            manifest.writerow(["study_id", "patient_id", "image", "report", "labels"])
            for number, row in enumerate(own):
                shutil.copy(REAL_CXR / row["image"], folder / site / "images")
                manifest.writerow([f"study-{number}", row["patient"], row["image"], row["text"], row["labels"]])
    return folder


def test_two_rounds_on_real_data_at_five_sites(sites: Path, tmp_path: Path) -> None:
    names = sorted(path.name for path in sites.iterdir())
    assert len(names) == 5
    for name in names:
        studies = read_manifest(sites / name).studies
        by_split = {split: {s.patient_id for s in studies if s.split == split} for split in ("train", "valid", "test")}
        assert not by_split["train"] & (by_split["valid"] | by_split["test"])
    job = small_job(tmp_path / "jobs", sites=5, batch_size=16, task_timeout=300)
    results = read_results(simulate(job, workspace=tmp_path / "run", sites=names, data=sites, timeout=500).parent)
    assert [site.name for site in results.sites] == names
    assert results.rounds == 2
    assert sum(site.pairs for site in results.sites) > 250
    assert all(0 < site.loss < 10 for site in results.sites)
    weights = {site.name: site.site_weight for site in results.sites}
    losses = {name: valid["loss"] for name, valid in results.history[0]["valid"].items()}
    assert max(losses, key=losses.__getitem__) == max(
        results.history[0]["site_weights"], key=results.history[0]["site_weights"].__getitem__
    ), "the site with the highest loss must gain most"
    assert sum(weights.values()) == pytest.approx(1)

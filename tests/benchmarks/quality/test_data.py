from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from admin.twin.consortia import FIVE_HOSPITALS, UNIFORM_POPULATION
from tests.benchmarks.quality.data import films as of_films
from tests.benchmarks.quality.data import twin as of_twin
from tests.benchmarks.quality.data.data_set import DONE, DataSet, read_rows, write_rows
from tests.benchmarks.quality.data.films import CLASSES, EVEN, LOOKS, PHRASES, Look, films, rendered, text_of
from tests.benchmarks.quality.data.real import FOLDS, real, split_by_fold
from tests.benchmarks.quality.data.twin import NOISY, POPULATION, skewed_hospitals, twin

PATIENTS = {"coast": 23, "hills": 11}  # of the made-up real pairs; every third has two studies
SMALL = 6  # studies of a hospital


def splits_of(root: Path) -> dict[str, set[str]]:
    """patient → the splits that their studies are in."""
    found: dict[str, set[str]] = {}
    for row in read_rows(root / "manifest.csv"):
        found.setdefault(row["patient_id"], set()).add(row["split"])
    return found


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    """A folder like that of the real pairs: two sites, patients with one or two studies."""
    folder = tmp_path / "pairs"
    (folder / "images").mkdir(parents=True)
    rows = [
        {"image": f"images/{site}-{patient}-{number}.jpg", "text": f"report {patient}", "labels": "Edema",
         "site": site, "patient": f"{site}-{patient}"}
        for site, count in PATIENTS.items()
        for patient in range(count)
        for number in range(1 + (patient % 3 == 0))
    ]  # fmt: skip
    for row in rows:
        (folder / row["image"]).write_bytes(row["image"].encode())
    write_rows(folder / "pairs.csv", rows)
    return folder


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """The twin with a few studies a hospital."""
    for name, hospitals in (("FIVE_HOSPITALS", FIVE_HOSPITALS), ("UNIFORM_POPULATION", UNIFORM_POPULATION)):
        monkeypatch.setattr(of_twin, name, tuple(replace(hospital, studies=3 * SMALL) for hospital in hospitals))


def test_every_patient_is_tested_exactly_once_over_the_folds(pairs: Path, tmp_path: Path) -> None:
    tested: Counter[str] = Counter()
    for fold in range(FOLDS):
        sites = real(tmp_path / str(fold), pairs, fold=fold).written().sites
        assert set(sites) == set(PATIENTS)
        tested.update(
            patient for root in sites.values() for patient, told in splits_of(root).items() if told == {"test"}
        )
    assert tested == {f"{site}-{number}": 1 for site, count in PATIENTS.items() for number in range(count)}


def test_no_patient_is_in_two_splits_and_every_study_in_one(pairs: Path, tmp_path: Path) -> None:
    for fold in range(FOLDS):
        for name, root in real(tmp_path / str(fold), pairs, fold=fold).written().sites.items():
            splits = splits_of(root)
            assert all(len(told) == 1 for told in splits.values())
            assert set().union(*splits.values()) == {"train", "valid", "test"}
            assert len(read_rows(root / "manifest.csv")) == sum(
                1 + (number % 3 == 0) for number in range(PATIENTS[name])
            )


def test_pairs_stay_pairs(pairs: Path, tmp_path: Path) -> None:
    for root in real(tmp_path / "real", pairs, fold=1).written().sites.values():
        for row in read_rows(root / "manifest.csv"):
            number = row["patient_id"].split("-")[1]
            assert row["report"] == f"report {number}"
            assert (root / row["image"]).read_bytes().decode().split("-")[1] == number


def test_a_fifth_of_those_who_are_not_tested_validates() -> None:
    splits = Counter(split_by_fold([str(number) for number in range(100)], fold=2, folds=5).values())
    assert splits == {"train": 64, "valid": 16, "test": 20}


def test_a_complete_set_is_read_and_one_cut_short_or_of_another_kind_is_written_anew(
    pairs: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "real"
    manifest = real(folder, pairs, fold=0).written().sites["coast"] / "manifest.csv"
    whole = manifest.read_text()
    manifest.write_text("read, not written")
    real(folder, pairs, fold=0).written()
    assert manifest.read_text() == "read, not written"
    (folder / DONE).unlink()
    (folder / "left-over").touch()
    real(folder, pairs, fold=0).written()
    assert manifest.read_text() == whole
    assert not (folder / "left-over").exists()
    real(folder, pairs, fold=1).written()
    assert manifest.read_text() != whole


def test_other_pairs_are_other_data_under_another_key(pairs: Path, tmp_path: Path) -> None:
    keys = {real(tmp_path / "real", pairs, fold=fold).key for fold in (0, 0, 1)}
    with (pairs / "pairs.csv").open("a") as file:
        file.write("\n")
    found = real(tmp_path / "real", pairs, fold=1)
    assert len(keys) == 2
    assert found.key not in keys


@pytest.mark.parametrize(
    "changed", [("NOISE", 0.5), ("IMAGE_SIZE", 32), ("FIVE_HOSPITALS", tuple(reversed(FIVE_HOSPITALS)))]
)
def test_what_decides_the_twin_is_written_anew_under_another_key(
    changed: tuple[str, Any], small: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = twin(tmp_path, seed=0, noisy=True, tested=SMALL).written()
    (tmp_path / "of-before").touch()
    assert twin(tmp_path, seed=0, noisy=True, tested=SMALL).written().key == first.key
    assert (tmp_path / "of-before").exists()
    monkeypatch.setattr(of_twin, *changed)
    if changed[0] == "FIVE_HOSPITALS":
        monkeypatch.setattr(of_twin, "FIVE_HOSPITALS", [replace(one, studies=3 * SMALL) for one in changed[1]])
    assert twin(tmp_path, seed=0, noisy=True, tested=SMALL).written().key != first.key
    assert not (tmp_path / "of-before").exists()


def test_the_twin_tests_each_hospital_on_as_many_other_patients(small: None, tmp_path: Path) -> None:
    found = twin(tmp_path / "twin", seed=0, tested=SMALL).written()
    assert set(found.held_out) == {POPULATION}
    assert {row["split"] for row in read_rows(found.held_out[POPULATION] / "manifest.csv")} == {"test"}
    for root in found.sites.values():
        assert all(len(told) == 1 for told in splits_of(root).values())
        counts = Counter(row["split"] for row in read_rows(root / "manifest.csv"))
        assert counts["test"] == SMALL
        assert counts["train"] + counts["valid"] == 3 * SMALL


def test_nobody_is_at_two_sites_or_in_the_held_out_population(small: None, tmp_path: Path) -> None:
    found = twin(tmp_path / "twin", seed=0, tested=SMALL).written()
    roots = [*found.sites.values(), *found.held_out.values()]
    patients = [patient for root in roots for patient in splits_of(root)]
    assert len(set(patients)) == len(patients)


def test_noise_is_where_the_noisy_site_learns_and_nowhere_else(small: None, tmp_path: Path) -> None:
    plain, noisy = (twin(tmp_path / str(noise), seed=0, noisy=noise, tested=SMALL).written() for noise in (False, True))
    changed = {site: split for site, split in reports_that_differ(plain, noisy)}
    assert set(changed) == {NOISY}
    assert not changed[NOISY] & {"test"}


def reports_that_differ(one: DataSet, other: DataSet) -> list[tuple[str, set[str]]]:
    """Sites of which reports differ, with the splits of these."""
    found = []
    for site, root in one.sites.items():
        texts = [
            {row["study_id"]: read(at, row) for row in read_rows(at / "manifest.csv")}
            for at in (root, other.sites[site])
        ]
        splits = {
            row["split"]
            for row in read_rows(root / "manifest.csv")
            if texts[0][row["study_id"]] != texts[1][row["study_id"]]
        }
        found += [(site, splits)] if splits else []
    return found


def read(root: Path, row: Mapping[str, str]) -> str:
    return (root / row["report_path"]).read_text(encoding="utf-8")


def test_skewed_findings_keep_their_mean_over_the_hospitals_and_less_alpha_is_more_skewed() -> None:
    kinds = list(FIVE_HOSPITALS[0].prevalence)
    usual = {kind: np.mean([one.prevalence[kind] for one in FIVE_HOSPITALS]) for kind in kinds}
    spread = {}
    for alpha in (100.0, 1.0, 0.1):
        found = skewed_hospitals(seed=3, alpha=alpha, sites=5)
        chances = {kind: [one.prevalence[kind] for one in found] for kind in kinds}
        whole = [kind for kind in kinds if max(chances[kind]) < of_twin.MOST_FREQUENT]
        assert len(whole) >= 5
        assert all(np.mean(chances[kind]) == pytest.approx(usual[kind], abs=1e-3) for kind in whole)
        spread[alpha] = np.mean([np.std(values) / np.mean(values) for values in chances.values()])
    assert spread[100.0] < 0.2 < spread[1.0] < spread[0.1]


def test_skewed_hospitals_differ_in_findings_only_and_more_of_them_have_names_of_their_own() -> None:
    found = skewed_hospitals(seed=0, alpha=0.3, sites=12)
    assert len({one.name for one in found}) == 12
    for number, one in enumerate(found):
        preset = FIVE_HOSPITALS[number % 5]
        assert replace(one, name=preset.name, prevalence=preset.prevalence) == preset
    assert [one.name for one in found[:5]] == [one.name for one in FIVE_HOSPITALS]


@pytest.fixture
def many_films(tmp_path: Path) -> Path:
    """A folder like that of the films: people with one to three films, some with two classes."""
    folder = tmp_path / "films"
    (folder / "images").mkdir(parents=True)
    rng, rows = np.random.default_rng(0), []
    for person in range(420):
        name = CLASSES[person % 3]
        for number in range(1 + person % 3):
            label = "viral" if name == "bacterial" and number == 2 else name
            image = f"images/{person}-{number}.png"
            Image.fromarray(rng.integers(0, 256, (6, 8), dtype=np.uint8)).save(folder / image)
            rows.append({"image": image, "patient": f"p{person}", "label": label})
    write_rows(folder / "films.csv", rows)
    return folder


@pytest.fixture
def few_tested(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"TESTED": 6, "EVEN_TESTED": 8, "LEAST": 20, "FEW": 20}.items():
        monkeypatch.setattr(of_films, name, value)


def test_films_are_divided_by_person_and_tested_on_as_many_of_each_class(
    many_films: Path, few_tested: None, tmp_path: Path
) -> None:
    found = films(tmp_path / "set", many_films, seed=0, alpha=0.3).written()
    at: dict[str, set[tuple[str, str]]] = {}
    for site, root in {**found.sites, **found.held_out}.items():
        rows = read_rows(root / "manifest.csv")
        for row in rows:
            at.setdefault(row["patient_id"], set()).add((site, row["split"]))
        tested = Counter(row["labels"] for row in rows if row["split"] == "test")
        assert tested == dict.fromkeys(CLASSES, 8 if site == EVEN else 6)
        learnt = [row for row in rows if row["split"] != "test"]
        assert len(learnt) >= 20 if site != EVEN else not learnt
    assert len(at) == 420, "nobody is left out"
    assert all(len(places) == 1 for places in at.values())


def test_less_alpha_divides_the_classes_more_unevenly(many_films: Path, few_tested: None, tmp_path: Path) -> None:
    largest = {}
    for alpha in (0.2, 50.0):
        found = films(tmp_path / str(alpha), many_films, seed=1, alpha=alpha).written()
        rows = [
            [row for row in read_rows(root / "manifest.csv") if row["split"] != "test"] for root in found.sites.values()
        ]
        largest[alpha] = np.mean([max(Counter(row["labels"] for row in of).values()) / len(of) for of in rows])
    assert largest[50.0] < 0.6 < largest[0.2]


def test_a_report_says_no_more_than_the_label() -> None:
    for style, of_label in PHRASES.items():
        by_label = {}
        for label in CLASSES:
            drawn = {text_of(label, style, np.random.default_rng(seed)) for seed in range(30)}
            assert len(drawn) == 2, "the draw decides between two wordings, and nothing else"
            by_label[label] = {
                text.replace(phrase, "…") for text in drawn for phrase in of_label[label] if phrase in text
            }
        assert by_label["normal"] == by_label["bacterial"] == by_label["viral"], "all but the wording is the same"


def test_a_site_s_look_crops_and_stretches() -> None:
    grey = np.full((10, 10), 128, np.uint8)
    grey[0], grey[5, 5] = 255, 192
    film = Image.fromarray(grey)
    assert np.array_equal(np.asarray(rendered(film, Look("prose"))), grey)
    inside = np.asarray(rendered(film, Look("prose", crop=0.8)))
    assert inside.shape == (8, 8)
    assert inside.max() == 192, "the bright border is cut off"
    flat = np.asarray(rendered(film, Look("prose", contrast=0.5)), dtype=int)
    assert flat[5, 5] == pytest.approx(127.5 + (192 - 127.5) / 2, abs=1)
    assert np.asarray(rendered(film, Look("prose", gamma=2.0)))[5, 5] == pytest.approx(255 * (192 / 255) ** 2, abs=1)
    assert len({(look.crop, look.contrast, look.gamma) for look in LOOKS.values()}) == 5

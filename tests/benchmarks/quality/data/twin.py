"""Synthetic hospitals: the five of the twin as they are, with wrong reports at one, or with skewed findings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from admin.twin.consortia import FIVE_HOSPITALS, UNIFORM_POPULATION
from admin.twin.hospital import Hospital
from admin.twin.population import write_population
from tests.benchmarks.quality.data.data_set import DataSet, key_of, read_rows, write_rows

TESTED = 128  # studies of every hospital to test on: the same number, so that recalls compare
NOISY = "harbour-general"  # a third of its reports belong to other studies, where it trains and validates
NOISE = 1 / 3
POPULATION = "held-out-population"
IMAGE_SIZE = 64
MOST_FREQUENT = 0.8  # largest chance of a finding at a hospital with skewed ones


def twin(
    folder: Path,
    *,
    seed: int,
    noisy: bool = False,
    tested: int = TESTED,
    hospitals: Sequence[Hospital] | None = None,
    part: float = 1.0,
) -> DataSet:
    """Unequal hospitals that differ in labels, machines and language, and an even mixture of other patients.

    Each trains and validates on the studies of its preset (70 and 30 % of them) and is tested on ``tested`` others of
    the same make, whose reports are always their own.

    Args:
        folder: of the data.
        seed: of all draws.
        noisy: whether reports of one hospital belong to other studies.
        tested: studies of a hospital to test on.
        hospitals: the sites; None takes the five of the twin.
        part: share of their studies that they have.
    """
    sites = [replace(one, studies=round(part * one.studies)) for one in hospitals or FIVE_HOSPITALS]
    noise = NOISE if noisy else 0.0
    made = key_of([repr(hospital) for hospital in (*sites, *UNIFORM_POPULATION)])
    asked = {"seed": seed, "noise": noise, "tested": tested, "image_size": IMAGE_SIZE, "hospitals": made}
    fill = partial(write_twin, hospitals=sites, seed=seed, noise=noise, tested=tested)
    return DataSet(folder, asked, [hospital.name for hospital in sites], [POPULATION], fill)


def skewed(
    folder: Path, *, seed: int, alpha: float, sites: int = 5, tested: int = TESTED, part: float = 1.0
) -> DataSet:
    """The twin, but each finding is divided among the hospitals by a Dirichlet draw, on top of their other shifts."""
    hospitals = skewed_hospitals(seed=seed, alpha=alpha, sites=sites)
    return twin(folder, seed=seed, tested=tested, hospitals=hospitals, part=part)


def skewed_hospitals(*, seed: int, alpha: float, sites: int) -> list[Hospital]:
    """Hospitals whose chance of a finding is its mean over the five of the twin times S w, w from a Dirichlet draw.

    So the mean over the hospitals stays, but for what :data:`MOST_FREQUENT` cuts off. Beyond five hospitals the presets
    repeat, with another name, other patients and other findings.

    Args:
        seed: of the draw.
        alpha: of the symmetric Dirichlet distribution; less is more skewed.
        sites: S.
    """
    kinds = list(FIVE_HOSPITALS[0].prevalence)
    usual = np.array([[one.prevalence[kind] for kind in kinds] for one in FIVE_HOSPITALS]).mean(axis=0)
    shares = np.random.default_rng([seed, round(1000 * alpha), sites]).dirichlet([alpha] * sites, size=len(kinds)).T
    chances = np.minimum(sites * shares * usual, MOST_FREQUENT)
    found = []
    for number, chance in enumerate(chances):
        preset, again = FIVE_HOSPITALS[number % len(FIVE_HOSPITALS)], number // len(FIVE_HOSPITALS)
        name = f"{preset.name}-{again + 1}" if again else preset.name
        prevalence = {kind: round(float(value), 4) for kind, value in zip(kinds, chance, strict=True)}
        found.append(replace(preset, name=name, prevalence=prevalence))
    return found


def write_twin(folder: Path, *, hospitals: Sequence[Hospital], seed: int, noise: float, tested: int) -> None:
    """The data roots of the hospitals and of the population."""
    for hospital in hospitals:
        wrong = noise if hospital.name == NOISY else 0.0
        write_site(folder / hospital.name, hospital, noise=wrong, tested=tested, seed=seed)
    mixture = [replace(hospital, studies=tested // 2) for hospital in UNIFORM_POPULATION]
    write_population(folder / POPULATION, hospitals=mixture, seed=seed, image_size=IMAGE_SIZE, split="test")


def write_site(root: Path, hospital: Hospital, *, noise: float, tested: int, seed: int) -> None:
    """One data root of a hospital's own studies and as many as ``tested`` of the same make."""
    learnt = replace(hospital, pairing_noise=noise)
    asked = replace(hospital, name=f"{hospital.name}-test", studies=tested)
    write_population(root, hospitals=(learnt, asked), seed=seed, image_size=IMAGE_SIZE)
    rows = read_rows(root / "manifest.csv")
    for row in rows:
        row["split"] = "test" if row["site"] == asked.name else "train" if row["split"] == "train" else "valid"
    write_rows(root / "manifest.csv", rows)

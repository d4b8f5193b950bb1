from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fedaid.data.partition import KINDS, label_shift, partition
from fedaid.errors import InputError

Labels = np.ndarray
FAR = 1e6


@st.composite
def collections(draw: st.DrawFn) -> tuple[list[str], Labels]:
    """Patients with one to four studies each, and up to three of five labels a study."""
    visits = draw(st.lists(st.integers(1, 4), min_size=6, max_size=40))
    patients = [f"p{number}" for number, count in enumerate(visits) for _ in range(count)]
    labels = draw(st.lists(st.sets(st.integers(0, 4), max_size=3), min_size=len(patients), max_size=len(patients)))
    return patients, np.array([[label in row for label in range(5)] for row in labels], dtype=bool)


def made(count: int = 400, *, seed: int = 0) -> tuple[list[str], Labels]:
    """Studies of patients seen once or twice, with six labels from common to rare."""
    rng = np.random.default_rng(seed)
    patients = [f"p{number}" for number in rng.integers(0, count * 2 // 3, size=count)]
    return patients, rng.random((count, 6)) < [0.4, 0.3, 0.2, 0.15, 0.1, 0.05]


kinds, seeds, site_counts = st.sampled_from(KINDS), st.integers(0, 2**32), st.integers(1, 6)
alphas = st.sampled_from([1e-12, 1e-3, 0.3, 10.0, FAR])


@given(collections(), kinds, site_counts, alphas, seeds)
@settings(deadline=None, max_examples=80)
def test_every_study_is_at_one_site_and_every_site_has_a_patient(
    given_: tuple[list[str], Labels], kind: str, sites: int, alpha: float, seed: int
) -> None:
    patients, labels = given_
    placed = partition(patients, labels, sites=sites, kind=kind, alpha=alpha, seed=seed)
    assert placed.shape == (len(patients),)
    assert set(placed.tolist()) == set(range(sites))


@given(collections(), kinds, st.integers(1, 3), alphas, seeds)
@settings(deadline=None, max_examples=80)
def test_a_patient_stays_together_and_every_site_has_its_minimum(
    given_: tuple[list[str], Labels], kind: str, sites: int, alpha: float, seed: int
) -> None:
    patients, labels = given_
    placed = partition(patients, labels, sites=sites, kind=kind, alpha=alpha, seed=seed, least_patients=2)
    homes = set(zip(patients, placed.tolist(), strict=True))
    assert len(homes) == len(set(patients))
    assert min(np.bincount([site for _, site in homes], minlength=sites)) >= 2


@given(collections(), kinds, seeds)
@settings(deadline=None, max_examples=40)
def test_the_order_of_the_rows_does_not_matter(given_: tuple[list[str], Labels], kind: str, seed: int) -> None:
    patients, labels = given_
    order = np.random.default_rng(seed).permutation(len(patients))
    straight = partition(patients, labels, sites=3, kind=kind, seed=seed)
    shuffled = partition([patients[index] for index in order], labels[order], sites=3, kind=kind, seed=seed)
    assert np.array_equal(straight[order], shuffled)


@pytest.mark.parametrize("kind", KINDS)
def test_another_seed_gives_another_partition(kind: str) -> None:
    one, again, other = (partition(*made(), sites=4, kind=kind, seed=seed) for seed in (0, 0, 1))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("seed", range(5))
def test_iid_gives_each_site_its_share_of_studies_and_of_every_label(seed: int) -> None:
    patients, labels = made(seed=seed)
    placed = partition(patients, labels, sites=4, seed=seed)
    assert np.abs(np.bincount(placed) - 100).max() <= 12
    counts = np.array([labels[placed == site].sum(axis=0) for site in range(4)])
    assert (np.abs(counts - labels.sum(axis=0) / 4) <= 5).all()


@pytest.mark.parametrize("seed", range(5))
def test_iid_is_nearer_to_the_whole_than_a_random_placement(seed: int) -> None:
    patients, labels = made(seed=seed)
    names = sorted(set(patients))
    drawn = dict(zip(names, np.random.default_rng(seed).integers(0, 4, size=len(names)).tolist(), strict=True))
    by_chance = np.array([drawn[patient] for patient in patients])
    assert label_shift(partition(patients, labels, sites=4, seed=seed), labels) < 0.5 * label_shift(by_chance, labels)


@pytest.mark.parametrize("seed", range(5))
def test_a_small_alpha_concentrates_labels_and_a_large_one_approaches_iid(seed: int) -> None:
    patients, labels = made(seed=seed)
    shifts = [
        label_shift(partition(patients, labels, sites=4, kind="dirichlet", alpha=alpha, seed=seed), labels)
        for alpha in (1e-3, 1.0, FAR)
    ]
    assert shifts[0] > shifts[1] > shifts[2]
    assert shifts[0] > 0.2
    assert shifts[2] < 0.03


def test_with_one_label_a_study_a_tiny_alpha_leaves_each_label_at_one_site() -> None:
    labels = np.eye(6, dtype=bool)[np.arange(300) % 6]
    placed = partition([f"p{number}" for number in range(300)], labels, sites=3, kind="dirichlet", alpha=1e-6)
    counts = np.array([labels[placed == site].sum(axis=0) for site in range(3)])
    assert (counts.max(axis=0) >= 48).all()


@pytest.mark.parametrize("seed", range(5))
def test_quantity_skews_sizes_more_than_labels(seed: int) -> None:
    patients, labels = made(1200, seed=seed)
    placed = partition(patients, labels, sites=3, kind="quantity", alpha=0.8, seed=seed, least_patients=30)
    sizes = np.bincount(placed)
    assert sizes.max() > 1.3 * sizes.min()
    assert label_shift(placed, labels) < 0.1


def test_fewer_patients_than_the_sites_need_is_refused() -> None:
    with pytest.raises(InputError, match="have 6 patients or more for 3 sites of at least 2, got 5"):
        partition(list("abcde"), np.zeros((5, 1), bool), sites=3, least_patients=2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "dirichlt"}, "Did you mean dirichlet"),
        ({"sites": 0}, "sites must be 1 or more"),
        ({"alpha": 0.0}, "alpha must be a number above 0"),
        ({"alpha": float("nan")}, "alpha must be a number above 0"),
        ({"least_patients": 0}, "least patients must be 1 or more"),
    ],
)
def test_a_setting_out_of_range_is_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        partition(*made(20), **{"sites": 2, **options})  # type: ignore[arg-type]


def test_the_shift_of_equal_sites_is_zero_and_of_sites_without_a_label_in_common_by_hand() -> None:
    labels = np.eye(2, dtype=bool)[[0, 1, 0, 1]]
    assert label_shift(np.array([0, 0, 1, 1]), labels) == 0.0
    assert label_shift(np.array([0, 1, 0, 1]), labels) == pytest.approx(0.5)

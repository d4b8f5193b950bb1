"""Divides one collection of studies among sites by patient: evenly, with skewed labels, or with skewed sizes.

The kind of partition decides which share of each label each site should have. Then patients are placed one by one,
those with the rarest label first, at the site that lacks that label most.

Source: Sechidis et al., On the stratification of multi-label data, ECML PKDD 2011 (iterative stratification), extended
here from equal to any shares and from samples to patients; the Dirichlet shares are those of Hsu et al., 2019,
arXiv:1909.06335.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from fedaid.errors import closest, require

KINDS = ("iid", "dirichlet", "quantity")
_WHERE = "the partition"

Counts = NDArray[np.float64]
Sites = NDArray[np.int64]


def partition(
    patients: Sequence[str],
    labels: NDArray[np.bool_],
    *,
    sites: int,
    kind: str = "iid",
    alpha: float = 1.0,
    seed: int = 0,
    least_patients: int = 1,
) -> Sites:
    """Return the site of every study.

    The result depends on the patients and their labels, not on the order of the rows. All studies of a patient are at
    one site.

    Args:
        patients: (N,) the patient of each study.
        labels: (N, L) which labels each study has.
        sites: S, number of sites.
        kind: "iid" gives every site an equal share of each label; "dirichlet" draws the shares for each label;
            "quantity" draws the sizes of the sites and divides every label in proportion.
        alpha: of the symmetric Dirichlet distribution of shares; near 0 one site has nearly all, a large value is even.
        seed: of all random draws.
        least_patients: least number of patients of a site; patients move from the largest site to smaller ones.

    Returns:
        (N,) in 0 … S - 1.

    Raises:
        InputError: for an unknown kind, a number out of range, or fewer patients than the sites need.
    """
    require(kind in KINDS, "kind", "be known", got=kind, where=_WHERE, remedy=closest(kind, list(KINDS)))
    require(sites >= 1, "sites", "be 1 or more", got=sites, where=_WHERE, remedy="Try 3.")
    require(least_patients >= 1, "least patients", "be 1 or more", got=least_patients, where=_WHERE, remedy="Try 1.")
    sound = bool(np.isfinite(alpha)) and alpha > 0
    require(sound, "alpha", "be a number above 0", got=alpha, where=_WHERE, remedy="Try 0.3.")
    names, member = np.unique(np.asarray(patients, dtype=str), return_inverse=True)
    require_patients(len(names), sites=sites, least_patients=least_patients)
    counts = _label_counts(member, labels, patients=len(names))
    rng = np.random.default_rng(seed)
    shares = _shares(kind, labels=counts.shape[1], sites=sites, alpha=alpha, rng=rng)
    placed = _placed(counts, np.bincount(member).astype(np.float64), shares=shares, rng=rng)
    return np.asarray(_at_least(placed, sites=sites, least=least_patients, rng=rng)[member], dtype=np.int64)


def require_patients(patients: int, *, sites: int, least_patients: int) -> None:
    """Raise :class:`InputError` if the sites together need more patients than there are."""
    needed = sites * least_patients
    rule = f"have {needed} patients or more for {sites} sites of at least {least_patients}"
    remedy = "Ask for fewer sites or fewer patients a site."
    require(patients >= needed, "the manifest", rule, got=patients, where=_WHERE, remedy=remedy)


def label_shift(sites: Sites, labels: NDArray[np.bool_]) -> float:
    """Return how far the label distributions of the sites are from that of all studies.

    Args:
        sites: (N,) site of each study.
        labels: (N, L) which labels each study has.

    Returns:
        The mean total variation distance over the sites, in [0, 1]; 0 if all sites have the same mix of labels.
    """
    whole = _distribution(labels)
    parts = [_distribution(labels[sites == site]) for site in np.unique(sites)]
    return float(np.mean([np.abs(part - whole).sum() / 2 for part in parts]))


def _distribution(labels: NDArray[np.bool_]) -> Counts:
    """(L + 1,) share of each label among all labels; the last entry is the share of the studies without a label."""
    counts = np.append(labels.sum(axis=0), (~labels.any(axis=1)).sum()).astype(np.float64)
    return np.asarray(counts / max(counts.sum(), 1.0))


def _label_counts(member: NDArray[np.int64], labels: NDArray[np.bool_], *, patients: int) -> Counts:
    """(P, L + 1) number of studies of each patient with each label; the last column counts those without a label."""
    given = np.column_stack([labels, ~labels.any(axis=1)]).astype(np.float64)
    counts = np.zeros((patients, given.shape[1]))
    np.add.at(counts, member, given)
    return counts


def _shares(kind: str, *, labels: int, sites: int, alpha: float, rng: Generator) -> Counts:
    """(L, S) share of each label that each site should have; rows sum to one."""
    if kind == "iid":
        return np.full((labels, sites), 1.0 / sites)
    drawn = rng.dirichlet(np.full(sites, alpha), size=labels if kind == "dirichlet" else 1)
    drawn = np.where(np.isfinite(drawn).all(axis=1, keepdims=True), drawn, np.eye(sites)[rng.integers(sites)])
    return np.asarray(np.broadcast_to(drawn, (labels, sites)))


def _placed(counts: Counts, sizes: Counts, *, shares: Counts, rng: Generator) -> Sites:
    """(P,) site of each patient: rarest label first, at the site that lacks it most, then at that with most room."""
    wanted = shares * counts.sum(axis=0)[:, None]
    room = sizes.sum() * wanted.sum(axis=0) / max(wanted.sum(), 1.0)
    left = counts.sum(axis=0)
    placed = np.full(len(counts), -1, dtype=np.int64)
    order = rng.permutation(len(counts))
    while (left > 0).any():
        label = int(np.where(left > 0, left, np.inf).argmin())
        for patient in order[(counts[order, label] > 0) & (placed[order] < 0)].tolist():
            site = _neediest(wanted[label], room, rng)
            placed[patient] = site
            wanted[:, site] -= counts[patient]
            room[site] -= sizes[patient]
            left -= counts[patient]
    return placed


def _neediest(wanted: Counts, room: Counts, rng: Generator) -> int:
    """The site that lacks a label most; of equal sites the one with most room, then a random one."""
    best = np.flatnonzero(np.isclose(wanted, wanted.max()))
    best = best[np.isclose(room[best], room[best].max())]
    return int(best[rng.integers(len(best))])


def _at_least(placed: Sites, *, sites: int, least: int, rng: Generator) -> Sites:
    """The sites after patients moved one by one from the largest site to the smallest while that has too few."""
    placed = placed.copy()
    held = np.bincount(placed, minlength=sites)
    while held.min() < least:
        donor, taker = int(held.argmax()), int(held.argmin())
        placed[rng.choice(np.flatnonzero(placed == donor))] = taker
        held[donor] -= 1
        held[taker] += 1
    return placed

"""What evaluation needs to know of the studies of a split, without who they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fedaid.data.manifest import Study


@dataclass(frozen=True)
class Cohort:
    """N studies in the order of their split.

    Attributes:
        patients: (N,), equal for studies of one patient; numbered within the split.
        labels: of each study, those that are certain.
        uncertain: of each study, those that may be.
        groups: "sex", "age" or "view" → group of each study, empty where it is not known.
    """

    patients: NDArray[np.int64]
    labels: tuple[tuple[str, ...], ...]
    uncertain: tuple[tuple[str, ...], ...]
    groups: Mapping[str, tuple[str, ...]]


def cohort_of(studies: Sequence[Study]) -> Cohort:
    """The cohort of these studies, in their order."""
    numbers: dict[str, int] = {}
    patients = [numbers.setdefault(study.patient_id, len(numbers)) for study in studies]
    return Cohort(
        patients=np.array(patients, dtype=np.int64),
        labels=tuple(study.labels for study in studies),
        uncertain=tuple(study.uncertain for study in studies),
        groups={
            "sex": tuple(study.sex for study in studies),
            "age": tuple(study.age for study in studies),
            "view": tuple(study.view for study in studies),
        },
    )

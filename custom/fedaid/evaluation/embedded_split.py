"""A split for the evaluation: embeddings, labels and groups of its studies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fedaid.evaluation.linear_probe import ProbeData


@dataclass(frozen=True)
class EmbeddedSplit:
    """N studies of one split under one model.

    Attributes:
        image: unit-norm embeddings (N, D).
        text: unit-norm embeddings (N, D), row n of the same study.
        text_groups: (N,), equal for equal texts.
        patients: (N,), equal for studies of one patient; a number, never an identifier.
        targets: finding → (N,), 1, 0, or NaN if unknown.
        subgroups: column ("sex", "age", "view") → group of each study, empty if unknown.
    """

    image: NDArray[np.floating]
    text: NDArray[np.floating]
    text_groups: NDArray[np.int64]
    patients: NDArray[np.int64]
    targets: Mapping[str, NDArray[np.float64]]
    subgroups: Mapping[str, Sequence[str]]

    def __len__(self) -> int:
        """The number of studies."""
        return len(self.patients)

    @property
    def patient_count(self) -> int:
        """The number of patients."""
        return len(np.unique(self.patients))

    @property
    def finite(self) -> bool:
        """Whether all embeddings are finite; those of a diverged model are not."""
        return bool(np.isfinite(self.image).all() and np.isfinite(self.text).all())

    @property
    def probe_data(self) -> ProbeData:
        """The image embeddings as features of a probe."""
        return ProbeData(self.image, self.targets, self.patients)

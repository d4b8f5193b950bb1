"""A site whose embeddings tell findings: what a model that learnt something gives the suite."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from fedaid.evaluation.embedded_split import EmbeddedSplit
from fedaid.evaluation.findings.zero_shot import PromptEmbeddings

FINDINGS = ("Edema", "Fracture", "Rare")
DIM = 16
MakeSplit = Callable[..., EmbeddedSplit]


def unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


@pytest.fixture(scope="session")
def make_split() -> MakeSplit:
    """A function from a number of studies and a seed to a split; image and text lie near what the study shows."""

    def make(studies: int, seed: int, *, patients: int | None = None, noise: float = 0.6) -> EmbeddedSplit:
        rng = np.random.default_rng(seed)
        shows = rng.random((studies, 3)) < (0.4, 0.3, 0.01)
        what = rng.normal(size=(studies, DIM)) * 0.7
        what[:, :3] += 1.5 * (2 * shows - 1)
        image, text = (unit(what + noise * rng.normal(size=what.shape)).astype(np.float32) for _ in range(2))
        numbers = rng.integers(0, patients or studies // 2, studies)
        return EmbeddedSplit(
            image=image,
            text=text,
            text_groups=np.arange(studies),
            patients=numbers,
            targets={name: shows[:, n].astype(float) for n, name in enumerate(FINDINGS)},
            subgroups={
                "sex": tuple("FM"[n % 2] for n in numbers),
                "age": tuple("<40" if n < 3 else "80+" for n in numbers),
                "view": ("",) * studies,
            },
        )

    return make


@pytest.fixture(scope="session")
def prompts() -> dict[str, PromptEmbeddings]:
    """Prompts that lie where the findings do."""
    axes = np.eye(DIM)
    return {name: PromptEmbeddings(axes[n : n + 1], -axes[n : n + 1]) for n, name in enumerate(FINDINGS)}


@pytest.fixture(scope="session")
def site(make_split: MakeSplit) -> dict[str, EmbeddedSplit]:
    """The three splits."""
    return {"train": make_split(160, 0), "valid": make_split(70, 1), "test": make_split(80, 2)}

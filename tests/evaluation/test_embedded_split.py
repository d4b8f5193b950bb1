from __future__ import annotations

from dataclasses import replace

import numpy as np

from fedaid.evaluation.embedded_split import EmbeddedSplit


def test_patients_are_counted_once(site: dict[str, EmbeddedSplit]) -> None:
    split = replace(site["test"], patients=np.arange(80) % 30)
    assert (len(split), split.patient_count) == (80, 30)


def test_one_number_that_is_none_is_noticed(site: dict[str, EmbeddedSplit]) -> None:
    split = site["test"]
    assert split.finite
    for name in ("image", "text"):
        broken = getattr(split, name).copy()
        broken[3, 2] = np.nan
        assert not replace(split, **{name: broken}).finite


def test_a_probe_learns_on_images(site: dict[str, EmbeddedSplit]) -> None:
    split = site["test"]
    assert split.probe_data.features is split.image
    assert split.probe_data.targets is split.targets

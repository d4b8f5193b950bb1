from __future__ import annotations

import numpy as np

from admin.twin.drawing.anatomy import Anatomy, altered_anatomy, sample_anatomy
from admin.twin.findings import Finding, Findings

CHEST = sample_anatomy(np.random.default_rng(0))


def altered(kind: str, **attributes: str) -> Anatomy:
    return altered_anatomy(CHEST, Findings((Finding(kind, **attributes),)))


def test_no_finding_changes_nothing() -> None:
    assert altered_anatomy(CHEST, Findings()) == CHEST


def test_marked_cardiomegaly_is_larger_than_mild() -> None:
    mild, marked = altered("cardiomegaly", extent="mild"), altered("cardiomegaly", extent="marked")
    assert CHEST.heart_radius < mild.heart_radius < marked.heart_radius


def test_a_high_diaphragm_rises_on_its_side_only() -> None:
    found = altered("diaphragm", side="left")
    assert found.left_dome < CHEST.left_dome
    assert found.right_dome == CHEST.right_dome


def test_scoliosis_bends_to_its_side() -> None:
    assert altered("scoliosis", side="left").spine_bend > 0 > altered("scoliosis", side="right").spine_bend


def test_hyperinflation_lowers_both_domes_and_darkens() -> None:
    found = altered("hyperinflation")
    assert found.left_dome > CHEST.left_dome
    assert found.lung_brightness < CHEST.lung_brightness


def test_a_lesion_does_not_change_the_shape() -> None:
    assert altered("nodule", side="left", zone="upper", extent="small") == CHEST

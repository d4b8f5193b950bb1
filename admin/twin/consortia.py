"""Preset consortia: three small hospitals, five unlike hospitals, and an even mixture of these."""

from __future__ import annotations

from dataclasses import replace

from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, RLELossless

from admin.twin.hospital import DEMO_HOSPITALS, Hospital, Scanner

_FINDINGS = {
    "cardiomegaly": 0.18, "mediastinum": 0.06, "effusion": 0.2, "consolidation": 0.2, "nodule": 0.1,
    "pneumothorax": 0.08, "oedema": 0.1, "atelectasis": 0.14, "hyperinflation": 0.1, "diaphragm": 0.06,
    "scoliosis": 0.08, "fracture": 0.06, "pacemaker": 0.08, "tube": 0.04, "line": 0.1,
}  # fmt: skip

FIVE_HOSPITALS: tuple[Hospital, ...] = (
    Hospital(
        name="kestrel-university",
        studies=800,
        prevalence=_FINDINGS | {"oedema": 0.28, "tube": 0.3, "line": 0.44, "pacemaker": 0.2, "cardiomegaly": 0.3},
        scanner=Scanner("DX", 12, ExplicitVRLittleEndian, contrast=1.1),
        style="structured",
        conspicuity=0.85,
        repeat=0.3,
        portable=0.7,
        duplicate_normals=0.1,
    ),
    Hospital(
        name="harbour-general",
        studies=400,
        prevalence=_FINDINGS | {"fracture": 0.3, "pneumothorax": 0.2, "consolidation": 0.3},
        scanner=Scanner("CR", 10, ImplicitVRLittleEndian, gamma=0.8, exposure=0.05, blur=0.006, noise=0.03,
                        collimation=0.05, windowed=True),
        style="prose",
        conspicuity=0.7,
        synonyms=0.2,
        duplicate_normals=0.2,
    ),
    Hospital(
        name="larch-heart-centre",
        studies=240,
        prevalence=_FINDINGS | {"cardiomegaly": 0.5, "effusion": 0.36, "pacemaker": 0.44, "oedema": 0.3},
        scanner=Scanner("DX", 12, ExplicitVRLittleEndian, gamma=1.1, exposure=0.03, windowed=True),
        style="checklist",
        conspicuity=0.8,
        monochrome1=0.5,
        repeat=0.35,
        portable=0.5,
        synonyms=0.4,
    ),
    Hospital(
        name="quarry-lung-clinic",
        studies=160,
        prevalence=_FINDINGS | {"nodule": 0.46, "hyperinflation": 0.4, "atelectasis": 0.24, "mediastinum": 0.16},
        scanner=Scanner("CR", 8, RLELossless, gamma=1.25, contrast=0.85, exposure=0.04, blur=0.009, noise=0.02,
                        collimation=0.02),
        style="telegraphic",
        conspicuity=0.7,
        monochrome1=1.0,
        repeat=0.1,
        portable=0.1,
    ),
    Hospital(
        name="meadow-practice",
        studies=100,
        prevalence={kind: share / 2 for kind, share in _FINDINGS.items()},
        scanner=Scanner("CR", 10, ExplicitVRLittleEndian, gamma=0.9, contrast=0.9, exposure=0.06, noise=0.04),
        style="prose",
        conspicuity=0.65,
        portable=0.0,
        synonyms=0.6,
        duplicate_normals=0.6,
    ),
)  # fmt: skip

_TESTED = 96  # studies of each small hospital


def _small(name: str, studies: int, prevalence: dict[str, float], *, scanner: Scanner, report_format: str) -> Hospital:
    """Return a small hospital that learns from ``studies`` studies and tests on :data:`_TESTED` more."""
    return Hospital(
        name=name,
        studies=studies + _TESTED,
        prevalence=_FINDINGS | prevalence,
        scanner=scanner,
        style="prose",
        conspicuity=0.8,
        report_format=report_format,
        valid_share=0.25 * studies / (studies + _TESTED),
        test_share=_TESTED / (studies + _TESTED),
        states_splits=True,
    )


SMALL_HOSPITALS: tuple[Hospital, ...] = (
    _small(
        "aldermoor-general",
        160,
        {"effusion": 0.32, "oedema": 0.16, "tube": 0.14, "line": 0.26},
        scanner=Scanner("DX", 12, ExplicitVRLittleEndian, contrast=1.1),
        report_format="csv",
    ),
    _small(
        "brookvale-infirmary",
        120,
        {"fracture": 0.24, "consolidation": 0.36, "pneumothorax": 0.18},
        scanner=Scanner("CR", 10, ImplicitVRLittleEndian, gamma=0.85, exposure=0.04, blur=0.004, noise=0.02,
                        collimation=0.04, windowed=True),
        report_format="jsonl",
    ),
    _small(
        "saltmarsh-clinic",
        90,
        {"nodule": 0.36, "hyperinflation": 0.28, "atelectasis": 0.22},
        scanner=Scanner("CR", 8, RLELossless, gamma=1.2, contrast=0.9, exposure=0.04, blur=0.006, noise=0.02,
                        collimation=0.02),
        report_format="csv",
    ),
)  # fmt: skip
"""Three small hospitals with reports in one style: none has enough studies to train well alone."""

UNIFORM_POPULATION: tuple[Hospital, ...] = tuple(
    replace(hospital, name=f"held-out-{hospital.name}", studies=100) for hospital in FIVE_HOSPITALS
)
"""The same five hospitals in equal shares, with other patients; write it with ``pooled`` as a held-out population."""

PRESETS: dict[str, tuple[Hospital, ...]] = {
    "demo": DEMO_HOSPITALS,
    "small": SMALL_HOSPITALS,
    "five": FIVE_HOSPITALS,
    "population": UNIFORM_POPULATION,
}

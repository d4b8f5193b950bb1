"""The dials by which hospitals of the twin differ. They are data: a new hospital needs no new code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian, RLELossless


@dataclass(frozen=True)
class Scanner:
    """The way in which a hospital's machine renders and stores a picture.

    Args:
        modality: "CR" or "DX".
        bits: bits stored, 8 to 16; above 8 the file has 16-bit words.
        transfer_syntax: UID of an uncompressed syntax or of RLE lossless.
        gamma: exponent on brightness; a value below 1 gives a soft, bright picture.
        contrast: stretch around mid-grey.
        exposure: largest random offset of a study's brightness.
        blur: width of the blur as a share of the picture's side.
        noise: standard deviation of the grain, in brightness.
        collimation: largest width of the black border, as a share of the side.
        windowed: whether the file states a rescale slope and intercept and a window.
    """

    modality: str = "CR"
    bits: int = 12
    transfer_syntax: UID = ExplicitVRLittleEndian
    gamma: float = 1.0
    contrast: float = 1.0
    exposure: float = 0.02
    blur: float = 0.0
    noise: float = 0.01
    collimation: float = 0.0
    windowed: bool = False


@dataclass(frozen=True)
class Hospital:
    """One site of the consortium.

    Args:
        name: name of site and folder, lower-case with hyphens.
        studies: number of studies.
        prevalence: chance of each kind of finding (``findings.KINDS``) in a study.
        scanner: the hospital's machine.
        style: style of its reports (``phrases.STYLES``).
        conspicuity: contrast of its findings, in (0, 1]; a lower value makes the site harder.
        monochrome1: share of studies stored with low values bright.
        repeat: share of studies of a patient with an earlier study.
        portable: share of bedside studies; their view is AP.
        lateral: share of lateral studies; they show the chest's shape but no lesions.
        synonyms: share of replaceable words (``synonyms.SYNONYMS``) that are replaced by a synonym.
        duplicate_normals: share of the normal studies that share one report text.
        pairing_noise: share of studies with the report of another study; ``pairing.csv`` names that study.
        report_format: format of the reports in an export (``export.REPORT_FORMATS``); "text" has no labels.
        valid_share: share of studies in the validation split; whole patients.
        test_share: the same for the test split.
        states_splits: whether the table of an export has a column ``split``; "text" has no columns.
    """

    name: str
    studies: int
    prevalence: Mapping[str, float]
    scanner: Scanner
    style: str
    conspicuity: float = 1.0
    monochrome1: float = 0.0
    repeat: float = 0.15
    portable: float = 0.3
    lateral: float = 0.0
    synonyms: float = 0.0
    duplicate_normals: float = 0.0
    pairing_noise: float = 0.0
    report_format: str = "csv"
    valid_share: float = 0.15
    test_share: float = 0.15
    states_splits: bool = False


DEMO_HOSPITALS: tuple[Hospital, ...] = (
    Hospital(
        name="lindental-university",
        studies=520,
        prevalence={
            "cardiomegaly": 0.3, "mediastinum": 0.08, "effusion": 0.34, "consolidation": 0.28, "nodule": 0.1,
            "pneumothorax": 0.12, "oedema": 0.24, "atelectasis": 0.16, "hyperinflation": 0.05, "diaphragm": 0.06,
            "scoliosis": 0.05, "fracture": 0.08, "pacemaker": 0.22, "tube": 0.3, "line": 0.4,
        },
        scanner=Scanner("DX", 12, ExplicitVRLittleEndian, contrast=1.1, noise=0.01, windowed=False),
        style="structured",
        conspicuity=0.85,
        repeat=0.25,
        portable=0.7,
    ),
    Hospital(
        name="st-brigid-general",
        studies=300,
        prevalence={
            "cardiomegaly": 0.26, "mediastinum": 0.06, "effusion": 0.22, "consolidation": 0.42, "nodule": 0.14,
            "pneumothorax": 0.18, "oedema": 0.12, "atelectasis": 0.14, "hyperinflation": 0.14, "diaphragm": 0.12,
            "scoliosis": 0.14, "fracture": 0.26, "pacemaker": 0.14, "tube": 0.04, "line": 0.08,
        },
        scanner=Scanner("CR", 10, ImplicitVRLittleEndian, gamma=0.8, exposure=0.05, blur=0.006, noise=0.03,
                        collimation=0.05, windowed=True),
        style="prose",
        conspicuity=0.65,
        repeat=0.15,
        portable=0.3,
        report_format="text",
    ),
    Hospital(
        name="westmoor-chest-clinic",
        studies=180,
        prevalence={
            "cardiomegaly": 0.14, "mediastinum": 0.16, "effusion": 0.24, "consolidation": 0.26, "nodule": 0.46,
            "pneumothorax": 0.1, "atelectasis": 0.22, "hyperinflation": 0.34, "diaphragm": 0.16, "scoliosis": 0.18,
            "fracture": 0.1, "pacemaker": 0.12, "line": 0.18,
        },
        scanner=Scanner("CR", 8, RLELossless, gamma=1.25, contrast=0.85, exposure=0.04, blur=0.009, noise=0.02,
                        collimation=0.02),
        style="telegraphic",
        conspicuity=0.7,
        monochrome1=1.0,
        repeat=0.1,
        portable=0.1,
        report_format="jsonl",
    ),
)  # fmt: skip

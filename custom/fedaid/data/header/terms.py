"""The permitted values of the coded facts of a DICOM header: terms of the standard, and others found in archives."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType

from pydicom.uid import AllTransferSyntaxes

OLDEST = 90
"""Ages above 89 are one group, as Safe Harbor requires (45 CFR 164.514(b)(2)(i)(C))."""

MODALITIES = frozenset(
    (
        *("CR", "DX", "DR", "RG", "RF", "XA", "PX", "IO", "MG", "CT", "MR", "US", "NM", "PT", "BMD", "XC", "SC", "OT"),
        *("ES", "BI", "IVUS", "OCT", "OP", "OPT", "EPS", "HD", "ECG", "SR", "KO", "PR", "SEG", "REG", "DOC"),
    )
)

VIEWS = frozenset(
    (
        *("AP", "PA", "LL", "RL", "RLD", "LLD", "RLO", "LLO"),  # PS3.3, C.8.11.5.1.1
        *("LPO", "RPO", "LAO", "RAO", "LATERAL", "LAT", "OBLIQUE", "DECUBITUS", "LORDOTIC", "SWIMMERS"),
        *("AP AXIAL", "AP SUPINE", "AP LLD", "AP RLD", "PA LLD", "PA RLD", "LEFT LATERAL", "RIGHT LATERAL"),
        *("XTABLE LATERAL", "PA OBLIQUE", "AP OBLIQUE", "ANTERO-POSTERIOR", "POSTERO-ANTERIOR"),
        *("CC", "MLO", "ML", "LM", "XCCL", "FRONTAL"),
    )
)

BODY_PARTS = frozenset(
    (
        *("CHEST", "THORAX", "CHEST PORT", "PORT CHEST", "CHEST_TO_ABDOMEN", "CHESTABDOMEN", "CHESTABDPELVIS"),
        *("LUNG", "LUNGS", "HEART", "MEDIASTINUM", "RIB", "RIBS", "STERNUM", "CLAVICLE", "SCAPULA", "SHOULDER"),
        *("ABDOMEN", "ABDOMENPELVIS", "PELVIS", "HIP", "SPINE", "CSPINE", "TSPINE", "LSPINE", "SSPINE", "COCCYX"),
        *("HEAD", "SKULL", "BRAIN", "FACE", "JAW", "TEETH", "TOOTH", "NECK", "BREAST", "AORTA", "KIDNEY", "BLADDER"),
        *("ARM", "HUMERUS", "ELBOW", "FOREARM", "WRIST", "HAND", "FINGER", "THUMB", "EXTREMITY"),
        *("LEG", "FEMUR", "KNEE", "TIBIA", "FIBULA", "ANKLE", "FOOT", "TOE", "CALCANEUS", "WHOLEBODY"),
    )
)

PHOTOMETRIC = frozenset(
    (
        *("MONOCHROME1", "MONOCHROME2", "PALETTE COLOR", "RGB", "YBR_FULL", "YBR_FULL_422", "YBR_PARTIAL_422"),
        *("YBR_PARTIAL_420", "YBR_ICT", "YBR_RCT", "XYB", "HSV", "ARGB", "CMYK"),
    )
)

MAKERS = (
    *("SIEMENS", "PHILIPS", "FUJIFILM", "FUJI", "CARESTREAM", "KODAK", "AGFA", "CANON", "KONICA", "SHIMADZU"),
    *("SAMSUNG", "HOLOGIC", "TOSHIBA", "HITACHI", "LODOX", "SWISSRAY", "VIEWORKS", "DRTECH", "MINDRAY", "GE"),
)

PERMITTED: Mapping[str, Collection[str] | Collection[int]] = MappingProxyType(
    {
        "modality": MODALITIES,
        "view_position": VIEWS,
        "body_part": BODY_PARTS,
        "laterality": frozenset("LRUB"),
        "photometric": PHOTOMETRIC,
        "intent": ("FOR PRESENTATION", "FOR PROCESSING"),
        "rows": range(1, 1 << 16),
        "columns": range(1, 1 << 16),
        "frames": range(1, 1 << 16),
        "samples": range(1, 5),
        "bits_allocated": (1, 8, 16, 32, 64),
        "bits_stored": range(1, 65),
        "transfer_syntax": frozenset(map(str, AllTransferSyntaxes)),
        "manufacturer": MAKERS,
        "sex": frozenset("MFO"),
        "age": range(OLDEST + 1),
    }
)
"""Field of :class:`fedaid.data.header.facts.Header` → its permitted words or whole numbers."""

"""The findings of a study of the twin; picture, report and labels are made from this one record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from numpy.random import Generator

from fedaid.data.table import CHEXPERT_14

SIDES = ("left", "right")
ZONES = ("upper", "middle", "lower")
SIZES = ("small", "large")
GRADES = ("mild", "marked")
SECOND_SIDE_CHANCE = 0.25


@dataclass(frozen=True)
class Kind:
    """Possible attributes and labels of a kind of finding; an empty string means "does not apply"."""

    labels: tuple[str, ...] = ()
    sides: tuple[str, ...] = ("",)
    zones: tuple[str, ...] = ("",)
    extents: tuple[str, ...] = ("",)
    chronic: bool = False


KINDS: Mapping[str, Kind] = {
    "cardiomegaly": Kind(("Cardiomegaly",), extents=GRADES, chronic=True),
    "mediastinum": Kind(("Enlarged Cardiomediastinum",)),
    "effusion": Kind(("Pleural Effusion",), (*SIDES, "bilateral"), extents=SIZES),
    "consolidation": Kind(("Consolidation", "Lung Opacity"), SIDES, ZONES),
    "nodule": Kind(("Lung Lesion",), SIDES, ZONES, SIZES),
    "pneumothorax": Kind(("Pneumothorax",), SIDES, extents=SIZES),
    "oedema": Kind(("Edema",), extents=GRADES),
    "atelectasis": Kind(("Atelectasis",), SIDES),
    "hyperinflation": Kind(chronic=True),
    "diaphragm": Kind(sides=SIDES),
    "scoliosis": Kind(sides=SIDES, chronic=True),
    "fracture": Kind(("Fracture",), SIDES, ZONES),
    "pacemaker": Kind(("Support Devices",), SIDES, chronic=True),
    "tube": Kind(("Support Devices",)),
    "line": Kind(("Support Devices",), SIDES),
}


@dataclass(frozen=True, order=True)
class Finding:
    """One finding: its kind, and the attributes that picture and report must show."""

    kind: str
    side: str = ""
    zone: str = ""
    extent: str = ""

    @property
    def sides(self) -> tuple[str, ...]:
        """The sides of the finding; both for a bilateral one."""
        return SIDES if self.side == "bilateral" else (self.side,)


@dataclass(frozen=True)
class Findings:
    """The findings of one study, in the order of :data:`KINDS`; empty for a normal study."""

    items: tuple[Finding, ...] = ()

    def of(self, kind: str) -> tuple[Finding, ...]:
        """Return the findings of one kind."""
        return tuple(item for item in self.items if item.kind == kind)

    @property
    def chronic(self) -> tuple[Finding, ...]:
        """The findings that the patient still has at the next study."""
        return tuple(item for item in self.items if KINDS[item.kind].chronic)

    @property
    def labels(self) -> tuple[str, ...]:
        """CheXpert-14 labels of the findings, in the usual order; findings such as scoliosis have no such label."""
        present = {label for item in self.items for label in KINDS[item.kind].labels}
        return tuple(name for name in CHEXPERT_14 if name in present) or ("No Finding",)


def sample_findings(rng: Generator, prevalence: Mapping[str, float], *, chronic: tuple[Finding, ...] = ()) -> Findings:
    """Draw the findings of one study.

    Args:
        rng: random source.
        prevalence: chance of each kind, in [0, 1]; a missing kind never occurs.
        chronic: chronic findings of an earlier study of the patient; this study shows them too.
    """
    items: list[Finding] = []
    for kind in KINDS:
        kept = [item for item in chronic if item.kind == kind]
        items += kept or (_sample_kind(rng, kind) if rng.random() < prevalence.get(kind, 0.0) else [])
    return Findings(tuple(item for item in items if not _hidden(item, items)))


def _sample_kind(rng: Generator, kind: str) -> list[Finding]:
    """Draw a finding of a kind; a kind with zones gets at times a second finding on the other side."""
    shape = KINDS[kind]
    first = Finding(kind, _pick(rng, shape.sides), _pick(rng, shape.zones), _pick(rng, shape.extents))
    if shape.zones == ("",) or rng.random() > SECOND_SIDE_CHANCE:
        return [first]
    other = SIDES[1 - SIDES.index(first.side)]
    return [first, Finding(kind, other, _pick(rng, shape.zones), _pick(rng, shape.extents))]


def _pick(rng: Generator, options: tuple[str, ...]) -> str:
    return options[int(rng.integers(len(options)))]


def _hidden(item: Finding, items: list[Finding]) -> bool:
    """Return whether another finding covers this one; a report must not mention it then."""
    others = [other for other in items if set(other.sides) & set(item.sides)]
    under_fluid = any(other.kind == "effusion" for other in others)
    collapsed = any(other.kind == "pneumothorax" and other.extent == "large" for other in others)
    if item.kind == "diaphragm":
        return under_fluid or any(other.kind == "hyperinflation" for other in items)
    if item.kind in ("consolidation", "nodule", "atelectasis"):
        return collapsed or (under_fluid and item.zone in ("lower", ""))
    return False

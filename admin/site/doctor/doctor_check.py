"""What a check of the doctor is, and what it finds."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field

from admin.site.doctor.evidence import Case, Evidence

ERROR, WARNING, NOTE = "error", "warning", "note"
SEVERITIES = (ERROR, WARNING, NOTE)


@dataclass(frozen=True)
class Found:
    """What a check found.

    Attributes:
        cases: the studies with the problem.
        files: files with the problem that belong to no study.
        detail: name → number; the names are from a closed list.
        of: number of all studies.
        fired: whether the check found a problem.
        said: a sentence without any data of the site.
        phrases: words of reports that a person should judge, each with its number of reports. Private.
    """

    cases: tuple[Case, ...] = field(default=(), repr=False)
    files: tuple[str, ...] = field(default=(), repr=False)
    detail: Mapping[str, int] = field(default_factory=dict)
    of: int = 0
    fired: bool = False
    said: str = ""
    phrases: tuple[tuple[str, int], ...] = field(default=(), repr=False)

    @property
    def count(self) -> int:
        """Number of studies or files with the problem; 1 if it concerns the site as a whole."""
        return len(self.cases) + len(self.files) or sum(self.detail.values()) or int(self.fired)

    @property
    def whole(self) -> bool:
        """Whether the check fired for the site as a whole."""
        return self.fired and not (self.cases or self.files or self.detail)


Look = Callable[[Evidence], Found]
Test = Callable[[Case], bool]


@dataclass(frozen=True)
class Check:
    """One check.

    Attributes:
        name: unique name in kebab case.
        title: what the check looks for.
        meaning: why that matters.
        remedy: what to do.
        severity: :data:`ERROR`, :data:`WARNING` or :data:`NOTE`.
        look: a pure function of the evidence.
        screen: whether the check compares pictures or texts, and so may be wrong about a single study.
        needs: whether a study has input for the check; None if every study has.
    """

    name: str
    title: str
    meaning: str
    remedy: str
    severity: str
    look: Look
    screen: bool = False
    needs: Test | None = None

    def is_blind(self, evidence: Evidence) -> bool:
        """Whether no study has input for the check."""
        return self.needs is not None and not any(map(self.needs, evidence.cases))


def found(cases: Iterable[Case], evidence: Evidence) -> Found:
    """Return these studies as found; fires if there is at least one."""
    concerned = tuple(cases)
    return Found(cases=concerned, of=len(evidence.cases), fired=bool(concerned))


def where(test: Test) -> Look:
    """Return a look that finds the studies for which a test holds."""
    return lambda evidence: found(filter(test, evidence.cases), evidence)


def above(test: Test, share: float) -> Look:
    """Return a look that finds the studies for which a test holds and fires if their share is above `share`."""

    def look(evidence: Evidence) -> Found:
        cases = tuple(filter(test, evidence.cases))
        return Found(cases=cases, of=len(evidence.cases), fired=len(cases) > share * len(evidence.cases))

    return look


def image_fault(*reasons: str) -> Look:
    """Return a look that finds the studies whose image cannot be used for one of these reasons."""
    return where(_among("image_fault", reasons))


def report_fault(*reasons: str) -> Look:
    """Return a look that finds the studies whose report cannot be used for one of these reasons."""
    return where(_among("report_fault", reasons))


def _among(attribute: str, reasons: Collection[str]) -> Test:
    return lambda case: getattr(case, attribute) in reasons

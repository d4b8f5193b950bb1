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
        cases: the studies concerned.
        files: files that belong to no study.
        detail: number by name, the names from a closed list.
        of: how many there are to be concerned.
        fired: whether there is anything to do about it.
        said: a sentence that quotes nothing of the site's data.
    """

    cases: tuple[Case, ...] = field(default=(), repr=False)
    files: tuple[str, ...] = field(default=(), repr=False)
    detail: Mapping[str, int] = field(default_factory=dict)
    of: int = 0
    fired: bool = False
    said: str = ""

    @property
    def count(self) -> int:
        """How many studies or files it concerns; 1 if it concerns the site as a whole."""
        return len(self.cases) + len(self.files) or sum(self.detail.values()) or int(self.fired)

    @property
    def whole(self) -> bool:
        """Whether it fired for the site as a whole."""
        return self.fired and not (self.cases or self.files or self.detail)


Look = Callable[[Evidence], Found]
Test = Callable[[Case], bool]


@dataclass(frozen=True)
class Check:
    """One check.

    Attributes:
        name: by which it is known, in kebab case.
        title: what it looks for.
        meaning: why that matters.
        remedy: what to do.
        severity: :data:`ERROR`, :data:`WARNING` or :data:`NOTE`.
        look: a pure function of the evidence.
        screen: whether it judges by a likeness and may err, on single studies, either way.
        needs: whether there is anything of a study for it to look at; None if there always is.
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
        """Whether there is nothing to look at in any study, so that to find nothing says nothing."""
        return self.needs is not None and not any(map(self.needs, evidence.cases))


def found(cases: Iterable[Case], evidence: Evidence) -> Found:
    """Return these studies, of all there are; fired if there is one."""
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

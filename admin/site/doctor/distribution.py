"""Distributions of a site's studies. Class names are from closed lists, so no text of the site is shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from admin.site.doctor.evidence import Case, Evidence
from admin.site.doctor.language import SMALL_WORDS, language_of
from fedaid.data.header.views import LATERAL_VIEWS
from fedaid.data.split import SPLITS
from fedaid.data.table import CHEXPERT_14

LENGTHS = (0, 10, 20, 40, 80, 160, 320)
NOT_STATED, OTHER = "not stated", "other"

Counts = Mapping[str, int]


def distributions(evidence: Evidence) -> dict[str, Counts]:
    """Return title → class → number of studies."""
    cases = evidence.cases
    return {
        "Split": _counted(map(_one_of(SPLITS, lambda case: case.split), cases), (*SPLITS, OTHER)),
        "View": _counted(map(_view, cases), ("PA", "AP", "lateral", OTHER, NOT_STATED)),
        "Label": _counted((name for case in cases for name in _labels(case)), (*CHEXPERT_14, OTHER)),
        "Words that describe the picture": _counted(map(_length, cases), [*map(_span, range(len(LENGTHS)))]),
        "Language": _counted((language_of(case.text) or NOT_STATED for case in cases), (*SMALL_WORDS, NOT_STATED)),
        "Age": _counted(map(_age, cases), [*map(_decade, range(10)), NOT_STATED]),
        "Modality": _counted(map(_header("modality"), cases), ()),
        "Photometric interpretation": _counted(map(_header("photometric"), cases), ()),
    }


def _counted(names: Iterable[str], order: Iterable[str]) -> Counts:
    """Return the names that occur with their counts, first in this order, then alphabetically."""
    counts = Counter(names)
    ordered = [*order, *sorted(counts)]
    return {name: counts[name] for name in dict.fromkeys(ordered) if counts[name]}


def _one_of(permitted: Iterable[str], fact: Callable[[Case], str]) -> Callable[[Case], str]:
    known = frozenset(permitted)
    return lambda case: fact(case) if fact(case) in known else OTHER


def _view(case: Case) -> str:
    if case.view in LATERAL_VIEWS:
        return "lateral"
    return case.view if case.view in ("PA", "AP") else OTHER if case.view else NOT_STATED


def _labels(case: Case) -> Iterable[str]:
    return {name if name in CHEXPERT_14 else OTHER for name in case.labels}


def _length(case: Case) -> str:
    words = len(case.text.split())
    return _span(sum(words >= bound for bound in LENGTHS) - 1)


def _span(number: int) -> str:
    if number + 1 == len(LENGTHS):
        return f"{LENGTHS[number]} and more"
    return f"{LENGTHS[number]} to {LENGTHS[number + 1] - 1}"


def _age(case: Case) -> str:
    age = case.header.age if case.header else None
    return NOT_STATED if age is None else _decade(min(age // 10, 9))


def _decade(number: int) -> str:
    return f"{10 * number} to {10 * number + 9}" if number < 9 else "90 and more"


def _header(fact: str) -> Callable[[Case], str]:
    """A fact of the header, whose values come from a closed list."""
    return lambda case: getattr(case.header, fact, None) or NOT_STATED

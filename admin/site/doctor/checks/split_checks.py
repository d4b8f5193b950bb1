"""Checks of the split by patient."""

from __future__ import annotations

from collections import Counter, defaultdict

from admin.site.doctor.doctor_check import ERROR, NOTE, WARNING, Check, Found, found
from admin.site.doctor.evidence import Case, Evidence
from fedaid.data.spelling import same_patients, spelt_twice
from fedaid.data.split import SPLITS

FEWEST_HELD_OUT, FEWEST_TRAINED = 10, 50
MANY_STUDIES, LARGE_PART = 20, 0.1


def overlap(evidence: Evidence) -> Found:
    """Return the studies of patients in several splits."""
    splits: defaultdict[str, set[str]] = defaultdict(set)
    for case in evidence.cases:
        splits[case.patient].add(case.split)
    return found((case for case in evidence.cases if case.patient and len(splits[case.patient]) > 1), evidence)


def spelt(evidence: Evidence) -> Found:
    """The studies of patients whose identifier has another likely spelling, and how many are in several splits."""
    first = same_patients(case.patient for case in evidence.cases)
    twice = spelt_twice(first)
    splits: defaultdict[str, set[str]] = defaultdict(set)
    for case in evidence.cases:
        splits[first.get(case.patient, "")].add(case.split)
    cases = tuple(case for case in evidence.cases if case.patient in twice)
    sides = Counter("several splits" if len(splits[first[case.patient]]) > 1 else "one split" for case in cases)
    return Found(cases=cases, detail=dict(sorted(sides.items())), of=len(evidence.cases), fired=bool(cases))


def sizes(evidence: Evidence) -> Counter[str]:
    """Return split → number of usable studies."""
    return Counter({name: 0 for name in SPLITS}) + Counter(case.split for case in evidence.cases if case.usable)


def empty(evidence: Evidence) -> Found:
    """Fires if the training or the validation split has no usable study."""
    counts = sizes(evidence)
    missing = [name for name in ("train", "valid") if not counts[name]]
    return Found(
        fired=bool(missing), of=len(evidence.cases), said=f"no study in {' and '.join(missing)}" if missing else ""
    )


def small_held_out(evidence: Evidence) -> Found:
    """Return the studies of a validation or test split that is too small for a useful metric."""
    counts = sizes(evidence)
    small = [name for name in ("valid", "test") if 0 < counts[name] < FEWEST_HELD_OUT]
    return found((case for case in evidence.cases if case.usable and case.split in small), evidence)


def few_to_train(evidence: Evidence) -> Found:
    """Fires if the training split has fewer than :data:`FEWEST_TRAINED` usable studies."""
    few = sizes(evidence)["train"] < FEWEST_TRAINED
    return Found(fired=few, of=len(evidence.cases), said=f"fewer than {FEWEST_TRAINED} for training" if few else "")


def frequent_patients(evidence: Evidence) -> Found:
    """Return the studies of patients with very many studies."""
    counts = Counter(case.patient for case in evidence.cases if case.patient)
    most = max(MANY_STUDIES, LARGE_PART * len(evidence.cases))
    return found((case for case in evidence.cases if counts[case.patient] > most), evidence)


def unlabelled(case: Case) -> bool:
    """Whether a study has no label."""
    return not case.labels


def partly_labelled(evidence: Evidence) -> Found:
    """Return the studies without a label; fires at a site where other studies have labels."""
    bare = tuple(filter(unlabelled, evidence.cases))
    return Found(cases=bare, of=len(evidence.cases), fired=0 < len(bare) < len(evidence.cases))


SPLIT_CHECKS = (
    Check(
        "patient-overlap",
        "Patients in several splits",
        "The model is tested on patients that it was trained on, so every metric is too good.",
        "Put all rows of a patient into one split, or leave the column empty.",
        ERROR,
        overlap,
    ),
    Check(
        "patient-spelling",
        "Patients written in two ways",
        "Identifiers differ only in case, blanks, dashes, zeros or the ending '.0'. Probably they are one patient. "
        "In several splits, the model is tested on patients that it was trained on.",
        "Write each patient in one way. Export the column as text.",
        WARNING,
        spelt,
    ),
    Check(
        "empty-split",
        "No studies for training or validation",
        "Training needs both. The site weights depend on validation.",
        "Leave column 'split' empty, or put a sixth of the patients into 'valid'.",
        ERROR,
        empty,
    ),
    Check(
        "small-held-out",
        "Very few studies for validation or test",
        f"There are fewer than {FEWEST_HELD_OUT}, so a single study changes the metric and the site's weight.",
        "Leave column 'split' empty: the patients' hash puts 15 % into each.",
        WARNING,
        small_held_out,
    ),
    Check(
        "few-studies",
        "Very few studies for training",
        f"There are fewer than {FEWEST_TRAINED}, so a batch holds most of them.",
        "Add studies, or join another site.",
        NOTE,
        few_to_train,
    ),
    Check(
        "frequent-patients",
        "Patients with very many studies",
        f"More than {MANY_STUDIES} studies and a tenth of all. Probably a default identifier, not a person.",
        "Check whether the identifier is a placeholder such as '0' or 'ANONYMOUS'.",
        WARNING,
        frequent_patients,
    ),
    Check(
        "partly-labelled",
        "Some studies without a label",
        "Checks, partitions and zero-shot metrics use labels. An empty cell does not mean 'No Finding'.",
        "Fill in the labels, or remove the column.",
        NOTE,
        partly_labelled,
    ),
)

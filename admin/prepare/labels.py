"""Labels of a reports table that are words for findings; whatever else stands in that column stays out."""

from __future__ import annotations

import re

from fedaid.data.labels import SEPARATOR
from fedaid.data.scrub import scrub

_LABEL = re.compile(r"(?:\? *)?[^\W\d_](?:(?!\d{3})[\w /()+-]){0,39}")


def kept_labels(labels: str) -> tuple[str, int]:
    """Return the labels that may be kept, and how many may not.

    A label is, after a question mark if it is uncertain, up to 40 letters, blanks, ``/ ( ) + -`` and no more than two
    digits in a row, in which the scrubber finds no identifier. A surname alone passes for a label: no pattern tells it
    from a finding.

    Args:
        labels: separated by ``|``.
    """
    given = [label for one in labels.split(SEPARATOR) if (label := " ".join(one.split()))]
    kept = [label for label in given if _LABEL.fullmatch(label) and not scrub(label).counts]
    return SEPARATOR.join(kept), len(given) - len(kept)

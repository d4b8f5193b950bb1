from __future__ import annotations

import json
from typing import Any

import pytest

from fedaid.flare.store.missed_phases import REASONS, MissedPhase, Retry, as_json, missed_of, retries_of

GOOD = {"round": 2, "phase": "align", "site": "lake", "reason": "silent", "text": ""}
BAD: dict[str, Any] = {
    "another reason": GOOD | {"reason": "tired"},
    "another field": GOOD | {"more": 1},
    "a field less": {name: GOOD[name] for name in ("round", "phase", "site", "reason")},
    "a round before the first": GOOD | {"round": -1},
    "true as a round": GOOD | {"round": True},
    "a number as a site": GOOD | {"site": 3},
    "a list as a text": GOOD | {"text": []},
    "no object": "align",
}


def test_the_codes_are_a_closed_list() -> None:
    assert REASONS == ("silent", "refused", "error", "out_of_memory", "killed")


def test_what_is_written_is_read_again() -> None:
    missed, retries = [MissedPhase(2, "align", "lake", "silent")], [Retry(2, "align", ["lake"])]
    results = json.loads(json.dumps({"missed": as_json(missed), "retries": as_json(retries)}))
    assert results["missed"] == [GOOD]
    assert (missed_of(results), retries_of(results)) == (missed, retries)


def test_results_of_an_older_version_have_no_entries() -> None:
    assert (missed_of({}), retries_of({})) == ([], [])


@pytest.mark.parametrize("entry", BAD.values(), ids=BAD)
def test_an_entry_of_another_layout_is_refused(entry: Any) -> None:
    with pytest.raises(ValueError, match=r"a missed phase must|missed must be a list"):
        missed_of({"missed": [GOOD, entry]})


@pytest.mark.parametrize(
    "entry",
    [
        {"round": 0},
        {"round": "0", "phase": "align", "sites": []},
        {"round": -1, "phase": "align", "sites": []},
        {"round": 0, "phase": "align", "sites": "lake"},
        {"round": 0, "phase": "align", "sites": [1]},
        7,
    ],
)
def test_a_retry_of_another_layout_is_refused(entry: Any) -> None:
    with pytest.raises(ValueError, match=r"a retry must|retries must be a list"):
        retries_of({"retries": [entry]})

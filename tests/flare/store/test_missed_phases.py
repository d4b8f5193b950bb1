from __future__ import annotations

import json
from typing import Any

import pytest

from fedaid.flare.store.killed_round import KilledRound
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


def phase(*, asked: list[str], inputs: list[str] | None, refused: str = "") -> list[dict[str, Any]]:
    """The lines of a job's phase with a second try; without ``inputs`` the job was killed in it."""
    gate, away = {"round": 2, "phase": "align"}, [site for site in asked if site not in (inputs or ())]
    lines = [{"kind": "start"}, {"kind": "open", **gate, "sites": asked}]
    lines += [{"kind": "refuse", **gate, "site": site, "reason": refused} for site in away if refused]
    lines += [{"kind": "open", **gate, "sites": away, "retry": True}]
    return [*lines, *([] if inputs is None else [{"kind": "close", **gate, "inputs": inputs}])]


def test_what_a_site_missed_in_a_round_that_was_killed_twice_counts_once_and_the_last_one_tells() -> None:
    first = phase(asked=["bay", "lake", "oak"], inputs=["oak"], refused="killed")
    second = phase(asked=["bay", "lake", "oak"], inputs=["bay", "oak"])
    found = KilledRound([*first, *second], 1)
    assert found.missed == [MissedPhase(1, "align", "bay", "killed"), MissedPhase(1, "align", "lake", "silent")]
    assert found.retries == [Retry(1, "align", ["lake"])]


def test_a_phase_that_did_not_end_leaves_what_an_earlier_job_tells_of_it() -> None:
    lines = [*phase(asked=["lake", "oak"], inputs=["oak"]), *phase(asked=["lake", "oak"], inputs=None)]
    assert KilledRound(lines, 1).missed == [MissedPhase(1, "align", "lake", "silent")]
    assert KilledRound(lines, 2).missed == []

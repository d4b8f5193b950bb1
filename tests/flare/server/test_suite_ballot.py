from __future__ import annotations

import json
from typing import Any

import pytest
from nvflare.apis.dxo import DXO, DataKind
from nvflare.apis.shareable import Shareable

from fedaid.flare.server.ballot import SuiteBallot, judge_result
from fedaid.flare.server.gate import RefusedAnswer
from fedaid.flare.wire.messages import LONGEST_RESULT, result_to_shareable

SUITE = {"loss": 2.3, "retrieval": None, "counts": {"test": {"studies": 78}}, "positives": "20-49", "flags": [True, -1]}
GOOD: dict[str, Any] = {"suite": SUITE, "skipped": {"image-unreadable": 1}}


def said(text: object, round_number: object = 0, **more: object) -> Shareable:
    return DXO(DataKind.METRICS, data={"result": text} | more, meta={"round": round_number}).to_shareable()


def nested(depth: int) -> Any:
    return {"a": nested(depth - 1)} if depth else 1


BAD: dict[str, Shareable] = {
    "no text": said({"suite": {}}),
    "more beside it": said(json.dumps(GOOD), image=[1]),
    "no JSON": said("{"),
    "too long": said('"' + "x" * LONGEST_RESULT + '"'),
    "NaN": said(json.dumps({"suite": {"loss": float("nan")}, "skipped": {}})),
    "infinity": said(json.dumps({"suite": {"loss": float("inf")}, "skipped": {}})),
    "1e300": said(json.dumps({"suite": {"loss": 1e300}, "skipped": {}})),
    "a whole number without end": said('{"suite": {"n": ' + "9" * 400 + '}, "skipped": {}}'),
    "a long text": said(json.dumps({"suite": {"report": "No acute cardiopulmonary abnormality. " * 3}, "skipped": {}})),
    "a long name": said(json.dumps({"suite": {"x" * 41: 1}, "skipped": {}})),
    "deep": said(json.dumps({"suite": nested(12), "skipped": {}})),
    "very deep": said("[" * 100_000),
    "many values": said(json.dumps({"suite": {"all": list(range(20_001))}, "skipped": {}})),
    "another part": said(json.dumps(GOOD | {"images": []})),
    "a part missing": said(json.dumps({"suite": {}})),
    "a list": said("[]"),
    "another round": said(json.dumps(GOOD), 1),
    "no round": said(json.dumps(GOOD), "0"),
    "another kind": DXO(DataKind.WEIGHTS, data={"result": "{}"}, meta={"round": 0}).to_shareable(),
    "nothing": Shareable(),
}


@pytest.fixture
def ballot() -> SuiteBallot:
    return SuiteBallot(0, ["lake"])


def test_a_sound_result_is_taken_as_it_is(ballot: SuiteBallot) -> None:
    ballot.take("lake", result_to_shareable(0, GOOD))
    assert ballot.answers == {"lake": GOOD}


@pytest.mark.parametrize("what", BAD)
def test_a_result_that_is_not_plain_small_and_finite_is_refused_by_site_name(what: str, ballot: SuiteBallot) -> None:
    with pytest.raises(RefusedAnswer, match=r"^metrics of site"):
        ballot.take("lake", BAD[what])
    assert ballot.answers == {}
    assert ballot.refused["lake"].startswith("metrics of site lake refused: ")
    assert len(ballot.refused["lake"]) < 200


def test_a_site_that_was_not_asked_is_refused(ballot: SuiteBallot) -> None:
    with pytest.raises(RefusedAnswer, match=r"^metrics of site"):
        ballot.take("north", result_to_shareable(0, GOOD))


def test_a_result_is_counted_with_all_that_is_in_it() -> None:
    assert judge_result({"a": [1, 2, {"b": None}], "c": "x"}) == 7

"""Every reason of the gate and of the ballots has a code of its own."""

from __future__ import annotations

import ast
from pathlib import Path

from fedaid.flare.server import ballot, gate
from fedaid.flare.store.refusal_codes import OTHER, refusal_code
from fedaid.flare.wire import metric_rules

UNSPECIFIC = {  # the layout of an answer
    "it must hold valid and test only",
    "it must hold suite and skipped",
    "its parts must be objects",
    "it is nested too deeply",
    "names must be short texts",
    "texts must be short",
    "numbers must be finite and at most 1e9",
}


def reasons(file: Path) -> list[str]:
    """The texts of all demands of a module."""
    calls = [node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call)]
    texts = [ast.unparse(call.args[1]) for call in calls if ast.unparse(call.func) == "demand"]
    return [text.removeprefix("f").strip("'\"") for text in texts]


def test_every_demand_has_a_code() -> None:
    found = [text for module in (gate, ballot, metric_rules) for text in reasons(Path(module.__file__))]
    assert len(found) > 20
    without = {text for text in found if refusal_code(text) == OTHER}
    assert {text for text in without if text not in UNSPECIFIC and "values" not in text} == set()


def test_a_code_comes_from_the_reason_and_not_from_the_name_of_a_site() -> None:
    reason = "update of site metric in align of round 3 refused: it answers another round"
    assert refusal_code(reason) == "other-round"
    assert refusal_code("update of site a in align of round 3 refused: message must hold a DXO") == OTHER
    assert refusal_code("site a could not work: SomeError Miller, Anna") == "site-error"
    assert refusal_code("site a could not work (out_of_memory): align: out of memory") == "out-of-memory"

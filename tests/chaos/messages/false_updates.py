"""The list of false updates: twenty kinds, each in one or more forms."""

from __future__ import annotations

import numpy as np
from nvflare.apis.dxo import DataKind
from nvflare.apis.shareable import Shareable

from fedaid.flare.wire.tasks import PRETRAIN
from tests.chaos.messages.false_update import (
    FROM_STRANGER,
    INFINITE,
    LATE,
    LATE_AS_ANSWER,
    MANY,
    NAN,
    SECOND,
    FalseUpdate,
    dxo,
    dxo_field,
    element,
    field,
    loss,
    metrics,
    names,
    no_loss,
    round_shifted,
    scaled,
    stamp,
    tensor,
    under_false_name,
    without,
)


def many_fields(reply: Shareable) -> Shareable:
    """100,000 meta fields."""
    reply["DXO"]["meta"] |= {f"k{number}": number for number in range(MANY)}
    return reply


TENSORS = [
    FalseUpdate("NaN or Inf in one element", "NaN", element(NAN)),
    FalseUpdate("NaN or Inf in one element", "Inf", element(INFINITE)),
    FalseUpdate("NaN or Inf in one element", "-Inf", element(-INFINITE)),
    FalseUpdate("wrong type", "float64", tensor(lambda t: t.astype(np.float64))),
    FalseUpdate("wrong type", "float16", tensor(lambda t: t.astype(np.float16))),
    FalseUpdate("wrong type", "complex", tensor(lambda t: t.astype(np.complex64))),
    FalseUpdate("wrong type", "objects", tensor(lambda t: t.astype(object))),
    FalseUpdate("wrong type", "other byte order", tensor(lambda t: t.astype(">f4"))),
    FalseUpdate("wrong type", "list", tensor(lambda t: t.tolist())),
    FalseUpdate("wrong type", "masked", tensor(lambda t: np.ma.masked_array(t))),
    FalseUpdate("wrong shape", "transposed", tensor(lambda t: np.vstack([t, t]).T)),
    FalseUpdate("wrong shape", "broadcastable row", tensor(lambda t: t[:1])),
    FalseUpdate("wrong shape", "broadcastable scalar", tensor(lambda t: np.asarray(t[0, 0]))),
    FalseUpdate("wrong shape", "flat", tensor(lambda t: t.ravel())),
    FalseUpdate("missing tensor", "missing", names(lambda d, n: {k: d[k] for k in d if k != n})),
    FalseUpdate("extra tensor", "extra", names(lambda d, n: d | {"more": d[n]})),
    FalseUpdate(
        "renamed tensor",
        "renamed",
        names(lambda d, n: {k + "x" if k == n else k: d[k] for k in d}),
    ),
    FalseUpdate("renamed tensor", "numbers", names(lambda d, n: dict(enumerate(d.values())))),
    FalseUpdate("empty", "no tensors", names(lambda d, n: {})),
    FalseUpdate("empty", "empty message", lambda reply: Shareable()),
    FalseUpdate("None", "no DXO", dxo(None)),
    FalseUpdate("None", "no tensors", dxo_field("data", None)),
    FalseUpdate("None", "no meta data", dxo_field("meta", None)),
    FalseUpdate("None", "a tensor", tensor(lambda t: None)),
    FalseUpdate("not a DXO", "text", dxo("update")),
    FalseUpdate("not a DXO", "list", dxo([1, 2])),
    FalseUpdate("not a DXO", "dict without kind", dxo({"data": {}})),
    FalseUpdate("wrong kind", "weights", dxo_field("kind", DataKind.WEIGHTS)),
    FalseUpdate("wrong kind", "metrics", dxo_field("kind", DataKind.METRICS)),
    FalseUpdate("wrong kind", "number", dxo_field("kind", 7)),
    FalseUpdate("too large", "a tensor", tensor(lambda t: np.zeros((2000, 2000), np.float32))),
    FalseUpdate("too large", "100,000 tensors", names(lambda d, n: d | {f"t{k}": d[n] for k in range(MANY)})),
    FalseUpdate("norm above the limit", "2e6", element(2e6)),
    FalseUpdate("norm above the limit", "largest float", element(3e38)),
    FalseUpdate("norm above the limit", "a hundred times the others", scaled(100.0)),
    FalseUpdate("norm above the limit", "statistics", scaled(1000.0, last="running_mean"), phases=(PRETRAIN,)),
    FalseUpdate(
        "norm above the limit", "variance below 0", tensor(lambda t: t - 10, named="running_var"), phases=(PRETRAIN,)
    ),
]
SENDERS = [
    FalseUpdate("past or future round", "past", round_shifted(-1)),
    FalseUpdate("past or future round", "future", round_shifted(1)),
    FalseUpdate("past or future round", "text", field("round", "0")),
    FalseUpdate("past or future round", "missing", without("round")),
    FalseUpdate("past or future round", "true", field("round", True)),
    FalseUpdate("old attempt", "attempt before", stamp(attempt=1)),
    FalseUpdate("old attempt", "another run", stamp(name="another")),
    FalseUpdate("old attempt", "no run", without("run")),
    FalseUpdate("old attempt", "a path", stamp(name="../another")),
    FalseUpdate("second answer", "another update", scaled(0.5), SECOND),
    FalseUpdate("second answer", "the same", arrives=SECOND),
    FalseUpdate("after the gate closed", "late", arrives=LATE),
    FalseUpdate("after the gate closed", "as an answer of the next phase", arrives=LATE_AS_ANSWER),
    FalseUpdate("false name", "with NaN", under_false_name(element(NAN))),
    FalseUpdate("false name", "second answer", under_false_name(scaled(0.5)), SECOND),
    FalseUpdate("site not in the run", "sound update", arrives=FROM_STRANGER),
    FalseUpdate("site not in the run", "name of a site", under_false_name(scaled(0.5)), FROM_STRANGER),
]
NUMBERS = [
    *(
        FalseUpdate("counts", str(value), field("pairs", value))
        for value in (0, -1, 10**9, 10**12, 1e12, NAN, "x", True)
    ),
    FalseUpdate("counts", "more than twice the pairs", field("pairs", 41), phases=(PRETRAIN,)),
    FalseUpdate("counts", "missing", without("pairs")),
    FalseUpdate("counts", "skipped -1", field("skipped", {"image-missing": -1})),
    FalseUpdate("counts", "skipped text", field("skipped", {"image-missing": "x"})),
    *(FalseUpdate("losses", str(value), loss(value)) for value in (NAN, INFINITE, -1.0, 1e308, "x", [1.0], None, True)),
    FalseUpdate("losses", "missing", no_loss),
    FalseUpdate("losses", "no metrics", without("metrics")),
    FalseUpdate("losses", "recall of 1000", metrics({"recall_at_1": 1000.0})),
    FalseUpdate("losses", "above InfoNCE", metrics({"loss": 17.0})),
    FalseUpdate("losses", "student loss above InfoNCE", metrics({"student_loss": 17.0})),
    FalseUpdate("100,000 fields", "meta data", many_fields),
    FalseUpdate("100,000 fields", "metrics", metrics({f"m{number}": 0.0 for number in range(MANY)})),
    FalseUpdate("100,000 fields", "skipped", field("skipped", {f"r{number}": 0 for number in range(MANY)})),
]


FALSE_UPDATES = [*TENSORS, *SENDERS, *NUMBERS]
KINDS = sorted({one.kind for one in FALSE_UPDATES})

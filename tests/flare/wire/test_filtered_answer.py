"""Filters in the place where a hospital installs them: before the encoder, which brings their results back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from nvflare.apis.dxo import DXO, DataKind
from nvflare.apis.dxo_filter import DXOFilter
from nvflare.apis.fl_context import FLContext
from nvflare.apis.shareable import Shareable
from nvflare.app_common.filters.exclude_vars import ExcludeVars
from nvflare.app_common.filters.percentile_privacy import PercentilePrivacy
from nvflare.app_common.filters.svt_privacy import SVTPrivacy

from fedaid.flare.server.gate import Gate
from fedaid.flare.wire.codec import WIRE_DTYPES
from fedaid.flare.wire.messages import update_from_shareable
from fedaid.flare.wire.replies import error_text
from fedaid.flare.wire.tasks import UpdateMessage
from tests.flare.wire_link import Server, Site

Arrays = dict[str, NDArray[Any]]
MODEL: Arrays = {
    "matrix": np.ones((8, 16), np.float32),
    "vector": np.ones(8, np.float32),
    "half": np.ones(4, np.float16),
    "log_logit_scale": np.array(2.6, np.float32),
    "buffer": np.arange(3, dtype=np.int32),
    "norm.num_batches_tracked": np.array(100, np.int64),
}


def delta() -> Arrays:
    rng = np.random.default_rng(0)
    steps = {n: np.asarray(0.01 * rng.standard_normal(t.shape), t.dtype) for n, t in MODEL.items()}
    return steps | {"buffer": np.zeros(3, np.int32), "norm.num_batches_tracked": np.array(50, np.int64)}


class Written(DXOFilter):  # type: ignore[misc]
    """A filter that somebody writes in ten lines of numpy."""

    def __init__(self, change: Callable[[DXO], DXO | None]) -> None:
        super().__init__([DataKind.WEIGHT_DIFF], [DataKind.WEIGHT_DIFF])
        self._change = change

    def process_dxo(self, dxo: DXO, shareable: Shareable, fl_ctx: FLContext) -> DXO | None:
        return self._change(dxo)


def changed(dxo: DXO, change: Callable[[Arrays], Any]) -> DXO:
    dxo.data = change(dxo.data)
    return dxo


def each(function: Callable[[Any], Any]) -> Written:
    return Written(lambda dxo: changed(dxo, lambda data: {name: function(tensor) for name, tensor in data.items()}))


def floats(function: Callable[[Any], Any]) -> Written:
    def filtered(data: Arrays) -> Any:
        return {name: function(t) if t.dtype.kind == "f" else t for name, t in data.items()}

    return Written(lambda dxo: changed(dxo, filtered))


def whole_clip(dxo: DXO) -> DXO:
    norm = np.sqrt(sum(np.sum(np.square(tensor)) for tensor in dxo.data.values()))
    return changed(dxo, lambda data: {n: t * min(1.0, 2.0 / norm) for n, t in data.items() if n != "buffer"})


WORK: dict[str, Any] = {
    "percentile": PercentilePrivacy,
    "svt": SVTPrivacy,
    "exclude one": lambda: ExcludeVars(exclude_vars=["vector"]),
    "exclude a scalar by a pattern": lambda: ExcludeVars(exclude_vars="logit"),
    "exclude nothing": ExcludeVars,
    "times a float": lambda: floats(lambda tensor: tensor * 0.5),
    "float64": lambda: floats(lambda tensor: tensor + np.random.default_rng(0).normal(0, 1e-3, tensor.shape)),
    "float16": lambda: floats(lambda tensor: np.float16(tensor)),
    "a float of Python": lambda: floats(lambda tensor: float(tensor) if tensor.ndim == 0 else tensor),
    "another byte order": lambda: each(lambda tensor: tensor.astype(tensor.dtype.newbyteorder())),
    "a strided view": lambda: each(
        lambda tensor: np.repeat(np.atleast_1d(tensor), 2, -1)[..., ::2].reshape(tensor.shape)
    ),
    "whole numbers as floats": lambda: each(lambda tensor: tensor * 1.0),
    "a norm clip": lambda: Written(whole_clip),
    "numpy in the meta": lambda: Written(lambda dxo: dxo.meta.update(x={"a": np.float64(1)}, y=np.int64(2)) or dxo),
}


def gate() -> Gate:
    template = {name: tensor.copy() for name, tensor in MODEL.items()}
    return Gate(phase="train", round_number=0, template=template, sites=["a"])


def through(policy: Any, tmp_path: Path, wire_dtype: str = "fp32") -> tuple[Shareable, Server, Site]:
    server, site = Server(wire_dtype), Site("a", tmp_path / "a")
    site.receive(server.send(server.broadcast(MODEL), site))
    return site.answer(delta(), policy), server, site


@pytest.mark.parametrize("wire_dtype", WIRE_DTYPES)
@pytest.mark.parametrize("case", WORK)
def test_an_update_passes_the_gate_after_a_filter(case: str, wire_dtype: str, tmp_path: Path) -> None:
    reply, server, site = through(WORK[case](), tmp_path, wire_dtype)
    judge = gate()
    judge.take("a", server.take(reply, site))
    found = judge.accepted["a"].delta
    assert {name: (t.shape, t.dtype) for name, t in found.items()} == {n: (t.shape, t.dtype) for n, t in MODEL.items()}
    assert found["norm.num_batches_tracked"] == 50


def test_what_a_filter_scales_is_scaled(tmp_path: Path) -> None:
    reply, server, site = through(floats(lambda tensor: tensor * 0.5), tmp_path)
    found = update_from_shareable(server.take(reply, site)).delta
    for name in ("matrix", "vector", "half", "log_logit_scale"):
        assert np.allclose(found[name], delta()[name] * 0.5, rtol=1e-3)


def test_a_norm_clip_does_not_see_the_counters(tmp_path: Path) -> None:
    reply, server, site = through(Written(whole_clip), tmp_path)
    found = update_from_shareable(server.take(reply, site)).delta
    norm = np.sqrt(sum(np.square(delta()[n].astype(float)).sum() for n in MODEL if n != "norm.num_batches_tracked"))
    assert norm < 2.0
    assert np.array_equal(found["matrix"], delta()["matrix"])


@pytest.mark.parametrize("wire_dtype", WIRE_DTYPES)
def test_a_removed_tensor_does_not_move_and_the_server_hears_how_many(wire_dtype: str, tmp_path: Path) -> None:
    server, site = Server(wire_dtype), Site("a", tmp_path / "a")
    for policy in ([], [ExcludeVars(exclude_vars=["matrix"])]):  # the rounding errors of the first stay at the site
        site.receive(server.send(server.broadcast(MODEL), site))
        message = update_from_shareable(server.take(site.answer(delta(), *policy), site))
    assert not message.delta["matrix"].any()
    assert message.delta["vector"].any()
    assert message.metrics["withheld_tensors"] == 1.0


REFUSED: dict[str, tuple[Callable[[DXO], DXO], str]] = {
    "another shape": (
        lambda dxo: changed(dxo, lambda d: d | {"vector": d["vector"][:2]}),
        "vector must have shape (8,)",
    ),
    "a scalar for a vector": (
        lambda dxo: changed(dxo, lambda d: d | {"vector": np.float32(1)}),
        "must have shape (8,)",
    ),
    "a new tensor": (lambda dxo: changed(dxo, lambda d: d | {"x": np.ones(2)}), "tensor x must be of the update"),
    "nothing is left": (lambda dxo: changed(dxo, lambda d: {}), "at least one tensor"),
    "fractions": (lambda dxo: changed(dxo, lambda d: d | {"buffer": d["buffer"] + 0.5}), "must hold whole numbers"),
    "not finite in a buffer": (
        lambda dxo: changed(dxo, lambda d: d | {"buffer": d["buffer"] * np.nan}),
        "must hold whole numbers",
    ),
    "too large": (
        lambda dxo: changed(dxo, lambda d: d | {"vector": d["vector"] * np.float64(1e300)}),
        "range of float32",
    ),
    "complex": (lambda dxo: changed(dxo, lambda d: d | {"vector": d["vector"] * 1j}), "got complex"),
    "a masked array": (
        lambda dxo: changed(dxo, lambda d: d | {"vector": np.ma.masked_array(d["vector"], True)}),
        "got MaskedArray",
    ),
    "a list": (lambda dxo: changed(dxo, lambda d: d | {"vector": [1.0] * 8}), "got list"),
    "a text": (lambda dxo: changed(dxo, lambda d: d | {"log_logit_scale": np.str_("1")}), "got str"),
    "a message without its fields": (lambda dxo: DXO(DataKind.WEIGHT_DIFF, data=dxo.data), "field counters of the upd"),
    "another kind": (lambda dxo: DXO(DataKind.WEIGHTS, data=dxo.data, meta=dxo.meta), "must stay an update"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_brought_back_is_refused_at_the_site_with_the_reason(case: str, tmp_path: Path) -> None:
    change, reason = REFUSED[case]
    reply, *_ = through(Written(change), tmp_path)
    assert reason in error_text(reply)
    assert "DXO" not in reply


def test_values_that_are_not_finite_are_left_to_the_gate(tmp_path: Path) -> None:
    reply, server, site = through(floats(lambda tensor: tensor * np.float64(np.nan)), tmp_path)
    judge = gate()
    with pytest.raises(ValueError, match="must be finite"):
        judge.take("a", server.take(reply, site))


def test_without_the_form_scalars_become_arrays(make_update: Callable[..., UpdateMessage], tmp_path: Path) -> None:
    server, site = Server(), Site("a", tmp_path / "a")
    site.receive(server.send(server.broadcast(MODEL), site))
    reply = site.answer({name: tensor for name, tensor in delta().items() if tensor.shape})
    reply["DXO"]["data"]["log_logit_scale"] = np.float32(0.5)  # by an encoder that does not know of this
    assert update_from_shareable(server.take(reply, site)).delta["log_logit_scale"].shape == ()

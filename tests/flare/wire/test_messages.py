from __future__ import annotations

import ast
import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from nvflare.apis.dxo import DXO, DataKind
from nvflare.apis.fl_constant import ReturnCode
from nvflare.apis.fl_context import FLContext
from nvflare.apis.shareable import Shareable
from nvflare.app_common.app_constant import AppConstants
from nvflare.app_common.decomposers import common_decomposers
from nvflare.fuel.utils import fobs

from fedaid.flare.wire import messages
from fedaid.flare.wire.codec import Packed
from fedaid.flare.wire.messages import (
    HOLDS,
    UPDATE,
    WIRE,
    TensorFilter,
    held_version,
    is_report,
    metrics_from_shareable,
    metrics_to_shareable,
    model_from_shareable,
    model_to_shareable,
    report_from_shareable,
    report_to_shareable,
    require_plain,
    result_from_shareable,
    result_to_shareable,
    update_from_shareable,
    update_to_shareable,
)
from fedaid.flare.wire.tasks import MalformedMessage, MetricsMessage, ModelMessage, UpdateMessage


class Halving(TensorFilter):
    """Halves an update each time it passes."""

    def __init__(self) -> None:
        super().__init__(UPDATE)

    def convert(self, packed: Packed, shareable: Shareable, fl_ctx: FLContext) -> Packed:
        half = {name: np.asarray(tensor / 2, tensor.dtype) for name, tensor in packed.tensors.items()}
        return Packed(half, {"by": 2}, holds="7")


META = {"round": 3, "metrics": {}, "pairs": 1, "skipped": {}}


def travelled(shareable: Shareable) -> Shareable:
    """What arrives on the other side."""
    common_decomposers.register()
    arrived = fobs.loads(fobs.dumps(shareable))
    assert isinstance(arrived, Shareable)
    return arrived


def same(one: Any, other: Any) -> bool:
    return bool(
        one.keys() == other.keys()
        and all(type(other[name]) is np.ndarray for name in one)
        and all((one[name].shape, one[name].dtype) == (other[name].shape, other[name].dtype) for name in one)
        and all(np.array_equal(one[name], other[name]) for name in one)
    )


def test_a_model_survives_the_way_to_a_site(template: dict[str, NDArray[Any]]) -> None:
    message = ModelMessage(3, template, {"image_size": 32, "image_encoder": {"name": "vit"}}, "0a1b")
    arrived = model_from_shareable(travelled(model_to_shareable(message, num_rounds=5)))
    assert (arrived.round_number, arrived.configuration, arrived.vocabulary_hash) == (3, message.configuration, "0a1b")
    assert same(template, arrived.tensors)
    assert {tensor.shape for tensor in arrived.tensors.values()} >= {(), (2, 3)}


def test_an_update_survives_the_way_to_the_server(make_update: Callable[..., UpdateMessage]) -> None:
    message = make_update()
    arrived = update_from_shareable(travelled(update_to_shareable(message)))
    assert same(message.delta, arrived.delta)
    assert (arrived.round_number, arrived.pairs) == (3, 10)
    assert (arrived.metrics, arrived.skipped) == (message.metrics, message.skipped)
    assert type(arrived.pairs) is int


def test_numpy_numbers_are_sent_as_plain_ones(make_update: Callable[..., UpdateMessage]) -> None:
    message = make_update(pairs=np.int64(5), metrics={"loss": np.float32(0.5)}, skipped={"image-missing": np.int64(2)})
    arrived = update_from_shareable(travelled(update_to_shareable(message)))
    assert [type(value) for value in (arrived.pairs, arrived.metrics["loss"], arrived.skipped["image-missing"])] == [
        int,
        float,
        int,
    ]


def test_metrics_survive_the_way_to_the_server() -> None:
    message = MetricsMessage(3, {"valid": {"loss": 1.5}, "test": {"recall_at_1": 0.25}})
    assert metrics_from_shareable(travelled(metrics_to_shareable(message))) == message


def test_a_model_carries_the_headers_that_flare_looks_for(template: dict[str, NDArray[Any]]) -> None:
    shareable = model_to_shareable(ModelMessage(3, template, {}, "x"), num_rounds=5)
    assert shareable.get_header(AppConstants.CURRENT_ROUND) == 3
    assert shareable.get_header(AppConstants.NUM_ROUNDS) == 5
    assert shareable.get_cookie(AppConstants.CONTRIBUTION_ROUND) == 3


@pytest.mark.parametrize("unpack", [model_from_shareable, update_from_shareable, metrics_from_shareable])
@pytest.mark.parametrize(
    "message",
    [
        None,
        {},
        "text",
        Shareable(),
        Shareable({"DXO": 5}),
        DXO(DataKind.COLLECTION, data={}).to_shareable(),
        DXO(DataKind.FL_MODEL, data={"a": 1}, meta=META).to_shareable(),
    ],
)
def test_what_is_not_a_message_of_the_kind_is_malformed(unpack: Callable[[Any], Any], message: Any) -> None:
    with pytest.raises(MalformedMessage):
        unpack(message)


@pytest.mark.parametrize("content", [None, 5, [], {"kind": 7}, {"kind": "WEIGHT_DIFF", "data": [1], "meta": {}}])
def test_a_dxo_with_broken_content_is_malformed(content: Any) -> None:
    shareable = DXO(DataKind.WEIGHT_DIFF, data={}, meta=META).to_shareable()
    shareable["DXO"] = content
    with pytest.raises(MalformedMessage):
        update_from_shareable(shareable)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("round", None),
        ("round", "3"),
        ("round", 3.0),
        ("round", True),
        ("pairs", "x"),
        ("pairs", 1e12),
        ("pairs", True),
        ("pairs", None),
        ("metrics", None),
        ("metrics", [1.0]),
        ("skipped", "many"),
    ],
)
def test_a_field_of_another_type_is_malformed_and_named(field: str, value: Any) -> None:
    shareable = DXO(DataKind.WEIGHT_DIFF, data={}, meta=META | {field: value}).to_shareable()
    with pytest.raises(MalformedMessage, match=f"^{field} must be of type"):
        update_from_shareable(shareable)


def test_a_missing_field_is_malformed() -> None:
    for field in META:
        meta = {name: value for name, value in META.items() if name != field}
        with pytest.raises(MalformedMessage, match=field):
            update_from_shareable(DXO(DataKind.WEIGHT_DIFF, data={}, meta=meta).to_shareable())


@pytest.mark.parametrize("name", ["", "../run", "a/b", "x" * 101, "run\n"])
def test_the_name_of_a_run_is_that_of_a_folder(name: str) -> None:
    meta = META | {"run": {"name": name, "attempt": 1}}
    with pytest.raises(MalformedMessage, match="the name of a run must be letters"):
        update_from_shareable(DXO(DataKind.WEIGHT_DIFF, data={}, meta=meta).to_shareable())


def test_a_flood_of_meta_fields_is_malformed() -> None:
    meta = META | {f"key{number}": 0 for number in range(100_000)}
    with pytest.raises(MalformedMessage, match="at most 100 meta fields"):
        update_from_shareable(DXO(DataKind.WEIGHT_DIFF, data={}, meta=meta).to_shareable())


def test_a_splits_metrics_must_be_a_mapping() -> None:
    shareable = DXO(DataKind.METRICS, data={"valid": 1.0}, meta={"round": 3}).to_shareable()
    with pytest.raises(MalformedMessage, match="valid must be of type dict"):
        metrics_from_shareable(shareable)


@pytest.mark.parametrize(
    "array",
    [
        torch.ones(2),
        [1.0, 2.0],
        1.0,
        np.float32(1.0),
        np.array(["text"]),
        np.array([{}], dtype=object),
        np.ma.masked_array([1.0], mask=[True]),
        None,
    ],
)
def test_only_plain_arrays_of_numbers_leave_a_process(array: Any, make_update: Callable[..., UpdateMessage]) -> None:
    with pytest.raises(MalformedMessage, match="tensor weight must be a numpy array"):
        require_plain({"weight": array})
    with pytest.raises(MalformedMessage, match="tensor weight"):
        update_to_shareable(make_update(delta={"weight": array}))
    with pytest.raises(MalformedMessage, match="tensor weight"):
        model_to_shareable(ModelMessage(0, {"weight": array}, {}, "x"), num_rounds=1)


def test_arrays_of_numbers_are_plain(template: dict[str, NDArray[Any]]) -> None:
    require_plain(template)


def test_a_report_survives_the_way_to_the_server(make_update: Callable[..., UpdateMessage]) -> None:
    message = make_update(delta={})
    sent = travelled(report_to_shareable(message))
    assert report_from_shareable(sent) == message
    assert is_report(sent)


def test_an_update_is_no_report(make_update: Callable[..., UpdateMessage]) -> None:
    assert not is_report(update_to_shareable(make_update()))
    with pytest.raises(MalformedMessage, match="of kind"):
        report_from_shareable(update_to_shareable(make_update()))


def test_a_report_holds_nothing_beside_its_metrics(make_update: Callable[..., UpdateMessage]) -> None:
    sent = report_to_shareable(make_update(delta={}))
    sent["DXO"]["data"]["matrix"] = np.ones(2)
    with pytest.raises(MalformedMessage, match="metrics only"):
        report_from_shareable(sent)


def test_a_result_survives_the_way_to_the_server() -> None:
    result = {"loss": 0.1, "findings": {"Edema": None}, "flags": [True, "20-49", -3]}
    assert result_from_shareable(travelled(result_to_shareable(2, result))) == (2, result)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), np.float32(1), object()])
def test_only_finite_plain_json_is_sent_as_a_result(value: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        result_to_shareable(2, {"loss": value})


def test_a_result_that_is_too_long_is_malformed() -> None:
    message = DXO(DataKind.METRICS, data={"result": '"' + "x" * 1_000_000 + '"'}, meta={"round": 0}).to_shareable()
    with pytest.raises(MalformedMessage, match="result must be at most 1000000 characters, got 1000002"):
        messages.result_from_shareable(message)


def test_no_other_module_knows_a_dxo() -> None:
    package = Path(messages.__file__).parents[2]
    sources = sorted(package.rglob("*.py"))
    users = []
    for path in sources:
        nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
        named = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
        named |= {str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)}
        if any(name.startswith("nvflare.apis.dxo") for name in named):
            users.append(path.relative_to(package).as_posix())
    assert len(sources) > 80
    assert users == ["flare/wire/messages.py"]


def test_a_filter_changes_the_tensors_and_the_layout_and_leaves_the_rest(
    make_update: Callable[..., UpdateMessage], fl_ctx: FLContext
) -> None:
    message = make_update()
    encoded = Halving().process(update_to_shareable(message), fl_ctx)
    assert encoded["DXO"]["meta"][WIRE] == {"by": 2}
    assert held_version(encoded) == "7"
    decoded = update_from_shareable(Halving().process(encoded, fl_ctx))
    assert np.array_equal(decoded.delta["matrix"], message.delta["matrix"] / 4)
    assert (decoded.metrics, decoded.pairs) == (message.metrics, message.pairs)
    report = report_to_shareable(make_update(delta={}))
    assert report_from_shareable(Halving().process(report, fl_ctx)) == report_from_shareable(report)


@pytest.mark.parametrize("spoil", [lambda dxo: dxo.update(meta=None), lambda dxo: dxo["meta"].update({HOLDS: 7})])
def test_a_version_is_read_from_a_sound_answer_only(
    spoil: Callable[[Any], None], make_update: Callable[..., UpdateMessage]
) -> None:
    answer = update_to_shareable(make_update())
    answer["DXO"]["meta"][HOLDS] = "7"
    assert held_version(answer) == "7"
    failed = copy.deepcopy(answer)
    failed.set_return_code(ReturnCode.EXECUTION_EXCEPTION)
    spoil(answer["DXO"])
    assert [held_version(one) for one in (failed, answer, Shareable())] == [None] * 3

"""Norm-clipped aggregation: what is shortened, where it is written down, and that nothing changes without it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from nvflare.apis.fl_context import FLContext

from admin.results.ledger_check import check_ledger, clip_faults
from fedaid.errors import InputError
from fedaid.flare.server.aggregator import AUTHENTICATED_SITE, SiteWeightedAggregator
from fedaid.flare.server.gate import Gate
from fedaid.flare.store.hash_chain import lines_of
from fedaid.flare.store.run_ledger import LEDGER
from fedaid.flare.wire.messages import update_to_shareable
from fedaid.flare.wire.tasks import ALIGN, PRETRAIN
from fedaid.minmax.norm_clipping import ClipSettings
from tests.flare.server.test_controller import SITES, final, results
from tests.flare.server.test_one_liar import liar

Make = Callable[..., Any]
BASE = {"w": np.zeros(3, np.float32), "bn.running_mean": np.zeros(3, np.float32), "n": np.array(0)}
AXES = dict(zip(SITES, np.eye(3, dtype=np.float32), strict=True))


def total(make_update: Make, fl_ctx: FLContext, lengths: dict[str, float], clip: ClipSettings | None) -> Any:
    """The new model after each site moved along an axis of its own, all with the same weight; and what was clipped."""
    aggregator = SiteWeightedAggregator()
    aggregator.site_weights = dict.fromkeys(SITES, 1 / 3)
    gate = Gate(phase="train", round_number=3, template=BASE, sites=list(SITES))
    aggregator.open(gate, BASE, clip=clip)
    for site, length in lengths.items():
        step = AXES[site] * np.float32(length)
        delta: dict[str, NDArray[Any]] = {"w": step, "bn.running_mean": step, "n": np.array(3)}
        fl_ctx.set_prop(AUTHENTICATED_SITE, site, private=True, sticky=False)
        assert aggregator.accept(update_to_shareable(make_update(delta=delta)), fl_ctx)
    return aggregator.total(), aggregator.clipped


def test_a_liar_five_times_as_long_moves_the_model_no_more_than_an_honest_site(
    make_update: Make, fl_ctx: FLContext
) -> None:
    lengths = {"site-a": 1.0, "site-b": 1.0, "site-c": 5.0}
    model, factors = total(make_update, fl_ctx, lengths, ClipSettings(1.0))
    assert factors == {"site-c": 0.2}
    assert model["w"].tolist() == pytest.approx([1 / 3, 1 / 3, 1 / 3])
    assert model["bn.running_mean"].tolist() == pytest.approx([1 / 3, 1 / 3, 5 / 3]), "statistics are not clipped"
    assert model["n"] == 3, "nor counters"
    without, none = total(make_update, fl_ctx, lengths, None)
    assert without["w"].tolist() == pytest.approx([1 / 3, 1 / 3, 5 / 3])
    assert none == {}


def test_a_clipped_update_is_summed_with_its_factor_by_hand(make_update: Make, fl_ctx: FLContext) -> None:
    model, factors = total(make_update, fl_ctx, {"site-a": 1.0, "site-b": 2.0, "site-c": 8.0}, ClipSettings(2.0))
    assert factors == {"site-c": 0.5}  # 2 times the median 2, of 8
    assert model["w"].tolist() == pytest.approx([1 / 3, 2 / 3, 4 / 3])


def spoilt(honest: Make) -> dict[str, Any]:
    """Three sites; the updates of the last are five times too long in both phases."""
    answers = {site: honest(site, loss) for site, loss in SITES.items()}
    return answers | {"site-c": liar(liar(answers["site-c"], 5.0), 5.0, task=ALIGN)}


def test_without_an_update_to_clip_the_setting_changes_no_bit(federation: Make, honest: Make) -> None:
    ends = []
    for setting in (None, 1e6):
        made = federation(spoilt(honest), num_rounds=2, clip_update_norm=setting)
        made.run()
        ends.append(final(made))
        assert all("clipped" not in entry for entry in results(made)["history"])
    assert ends[0] == ends[1]


def test_results_and_ledger_have_who_was_clipped_and_the_offline_check_holds(
    tmp_path: Path, model_config: dict[str, Any], honest: Make, federation: Make
) -> None:
    kinds = type(federation())

    def job(number: int, kit: str, **settings: Any) -> Any:
        folder = tmp_path / f"job{number}" / "app_server"
        (folder / "config").mkdir(parents=True)
        workflow = {"id": "fedaid", "args": {"clip_update_norm": 1.0}}
        (folder / "config" / "config_fed_server.json").write_text(json.dumps({"workflows": [workflow]}))
        given = {"min_clients": 2, "run_name": "one", "clip_update_norm": 1.0, **settings}
        made = kinds(folder, dict(model_config), spoilt(honest), kit=tmp_path / kit, **given)
        made.run()
        assert made.engine.panics == []
        if settings["num_rounds"] == 2:
            assert check_ledger(folder.parent).faults == ()
        return made

    whole = job(0, "kit", num_rounds=2)
    for number, entry in enumerate(results(whole)["history"]):
        assert set(entry["clipped"]) == {ALIGN, PRETRAIN}
        for phase, factors in entry["clipped"].items():
            assert factors["site-c"] < 0.3
            assert factors == ClipSettings(1.0).factors(entry["norms"][phase])
        commits = [line for line in lines_of(whole.store / LEDGER) if line["kind"] == "commit"]
        assert commits[number]["clipped"] == entry["clipped"]
    job(1, "other", num_rounds=1)
    continued = job(2, "other", num_rounds=2, attempt=2)
    assert final(continued) == final(whole), "a run that was continued ends with the same bits"
    assert results(continued)["history"] == results(whole)["history"]


def test_other_factors_than_those_of_the_rule_are_found() -> None:
    settings = {"config_fed_server.workflows.fedaid.args.clip_update_norm": 1.0}
    entry = {"norms": {PRETRAIN: {"a": 1.0, "b": 1.0, "c": 4.0}}, "clipped": {PRETRAIN: {"c": 0.25}}}
    assert list(clip_faults({"clipped": entry["clipped"]}, entry, settings)) == []
    rule = f"the clipped updates of {PRETRAIN} are not those of clip_update_norm 1.0"
    assert list(clip_faults({}, {**entry, "clipped": {}}, settings)) == [rule]
    assert list(clip_faults({}, entry, settings)) == ["results.json has other clipped updates", rule]
    (unset,) = clip_faults({"clipped": entry["clipped"]}, entry, {})
    assert unset.endswith("clip_update_norm None")


def test_the_controller_refuses_a_bad_setting(federation: Make) -> None:
    with pytest.raises(InputError, match="clip_update_norm must be a finite number of at least 1"):
        federation(clip_update_norm=0.5)

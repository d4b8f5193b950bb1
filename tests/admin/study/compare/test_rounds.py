"""The loop itself; that it equals the job on FLARE is shown in tests/integration/test_simulator.py."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from admin.study.compare import rounds
from admin.study.compare.false_losses import inflate
from admin.study.compare.rounds import ServerSettings, run_rounds
from fedaid.minmax.norm_clipping import ClipSettings
from fedaid.minmax.selection import Selection
from fedaid.minmax.server_optimizer import ServerOptimizerSettings
from fedaid.minmax.settings import MinMaxSettings

ALIGNMENT, ENCODER = "image.alignment.w", "image.encoder.w"


@dataclass
class Pull:
    """A site whose training moves every number to its own, and whose loss is how far they are."""

    to: float
    pairs: int = 10
    noise: float = 0.0
    held: dict[str, NDArray[Any]] = field(default_factory=dict)
    data: Any = None

    def __post_init__(self) -> None:
        self.data = SimpleNamespace(train=range(self.pairs))

    def load(self, tensors: dict[str, NDArray[Any]]) -> None:
        self.held = self.held | dict(tensors)

    def tensors(self) -> dict[str, NDArray[Any]]:
        return dict(self.held)

    def validate(self, split: str) -> float:
        return float(abs(self.held[ENCODER][0] - self.to)) + self.noise

    def align(self, *, round_number: int) -> SimpleNamespace:
        return SimpleNamespace(delta={ALIGNMENT: self.to - self.held[ALIGNMENT]})

    def pretrain(self, *, round_number: int) -> SimpleNamespace:
        delta = {name: self.to - tensor for name, tensor in self.held.items()}
        return SimpleNamespace(delta=delta)

    def student_loss(self, round_number: int) -> dict[str, float]:
        return {} if round_number < 0 else {"student_loss": self.noise}


@pytest.fixture(autouse=True)
def losses_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "split_metrics", lambda loss: {"loss": loss, "recall_at_5": 1 / (1 + loss)})


def start() -> dict[str, NDArray[Any]]:
    return {ALIGNMENT: np.zeros(2), ENCODER: np.zeros(2)}


def run(workers: dict[str, Any], **settings: Any) -> rounds.Outcome:
    return run_rounds(workers, start(), ServerSettings(**settings))


def test_weights_by_pairs_average_as_fedavg_does() -> None:
    by_pairs = MinMaxSettings(dual_step_size=0, initial_site_weights="pairs")
    found = run({"a": Pull(1.0, 30), "b": Pull(5.0, 10)}, rounds=1, minmax=by_pairs, alignment_phase=False)
    np.testing.assert_allclose(found.tensors[ENCODER], 0.75 * 1 + 0.25 * 5)


def test_phase_two_starts_from_the_ideal_alignment() -> None:
    seen = []

    class Watched(Pull):
        def pretrain(self, *, round_number: int) -> SimpleNamespace:
            seen.append({name: tensor.copy() for name, tensor in self.held.items()})
            return super().pretrain(round_number=round_number)

    run({"a": Watched(2.0), "b": Watched(4.0)}, rounds=1, minmax=MinMaxSettings(dual_step_size=0))
    assert [held[ALIGNMENT][0] for held in seen] == pytest.approx([3.0, 3.0])
    assert [held[ENCODER][0] for held in seen] == [0.0, 0.0]


def test_the_site_with_the_higher_loss_gains_weight() -> None:
    found = run({"a": Pull(1.0), "b": Pull(5.0)}, rounds=1)
    assert found.site_weights["b"] > 0.5 > found.site_weights["a"]


def test_with_the_student_as_baseline_a_noisy_site_gains_none_for_its_noise() -> None:
    sites = {"a": Pull(1.0), "b": Pull(1.0, noise=3.0)}
    relative = run(sites, rounds=3, minmax=MinMaxSettings(loss_baseline="student"))
    assert relative.site_weights == pytest.approx({"a": 0.5, "b": 0.5})
    raw = run({"a": Pull(1.0), "b": Pull(1.0, noise=3.0)}, rounds=3)
    assert raw.site_weights["b"] > 0.6


def test_what_the_sites_reach_alone_is_taken_as_baseline() -> None:
    workers: Any = {"a": Pull(1.0), "b": Pull(1.0, noise=3.0)}
    server = ServerSettings(1, MinMaxSettings(loss_baseline="alone"))
    found = run_rounds(workers, start(), server, alone={"a": 0.0, "b": 3.0})
    assert found.site_weights == pytest.approx({"a": 0.5, "b": 0.5})


def test_a_long_update_is_clipped_as_in_the_job() -> None:
    sites = {"a": Pull(1.0), "b": Pull(2.0), "c": Pull(16.0)}
    server: dict[str, Any] = {"rounds": 1, "minmax": MinMaxSettings(dual_step_size=0), "alignment_phase": False}
    np.testing.assert_allclose(run(sites, **server).tensors[ENCODER], (1 + 2 + 16) / 3)
    clipped = run(sites, **server, clip=ClipSettings(2.0))  # the median norm is that of b
    np.testing.assert_allclose(clipped.tensors[ENCODER], (1 + 2 + 4) / 3)


def test_the_server_s_momentum_goes_on_from_round_to_round() -> None:
    momentum = ServerOptimizerSettings("momentum", server_learning_rate=0.5, server_momentum=0.5)
    found = run({"a": Pull(1.0)}, rounds=2, optimizer=momentum, alignment_phase=False)
    np.testing.assert_allclose(found.tensors[ENCODER], 0.5 * 1 + 0.5 * (0.5 * 1 + 0.5))


def test_the_best_model_is_that_of_the_selected_metric_and_may_be_the_last() -> None:
    overshooting = ServerOptimizerSettings("momentum", server_momentum=0.9)
    found = run({"a": Pull(1.0)}, rounds=2, optimizer=overshooting, alignment_phase=False)
    assert found.best_round == 1
    np.testing.assert_allclose(found.best[ENCODER], 1.0)
    last = run({"a": Pull(1.0)}, rounds=1, alignment_phase=False, selection=Selection("mean_recall_at_5"))
    assert last.best_round == 1


def test_every_model_that_is_the_best_so_far_is_handed_over_when_it_is() -> None:
    told: list[tuple[int, float]] = []
    overshooting = ServerOptimizerSettings("momentum", server_momentum=0.9)
    server = ServerSettings(rounds=3, optimizer=overshooting, alignment_phase=False)
    found = run_rounds(
        {"a": Pull(1.0)}, start(), server, chosen=lambda one: told.append((one.round_number, one.tensors[ENCODER][0]))
    )
    assert told == [(0, 0.0), (1, 1.0)]
    assert found.best_round == 1


def test_the_time_of_a_round_is_that_of_the_slowest_site_as_they_work_side_by_side(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [0.0]

    class Slow(Pull):
        def pretrain(self, *, round_number: int) -> SimpleNamespace:
            now[0] += self.to if round_number else 10 - self.to
            return super().pretrain(round_number=round_number)

    monkeypatch.setattr(rounds, "process_time", lambda: now[0])
    found = run({"a": Slow(1.0), "b": Slow(4.0)}, rounds=2, alignment_phase=False)
    assert found.seconds == 9 + 4


def test_a_site_that_goes_on_with_some_of_its_own_is_kept_with_it() -> None:
    class Own(Pull):
        def load(self, tensors: dict[str, NDArray[Any]]) -> None:
            super().load({**tensors, ALIGNMENT: np.full(2, 7.0)})

    found = run({"a": Own(1.0), "b": Pull(1.0)}, rounds=1, alignment_phase=False)
    assert set(found.best_at) == {"a"}
    np.testing.assert_allclose(found.best_at["a"][ALIGNMENT], 7.0)
    np.testing.assert_allclose(found.best_at["a"][ENCODER], found.best[ENCODER])


def test_the_history_has_an_entry_a_round_and_one_of_the_last_model() -> None:
    found = run({"a": Pull(1.0), "b": Pull(2.0)}, rounds=3)
    assert [entry["round"] for entry in found.history] == [0, 1, 2, 3]
    assert found.history[0]["valid"]["b"]["loss"] == 2.0


def test_a_site_that_reports_its_losses_ten_times_too_high_gains_weight_only_by_its_report() -> None:
    server = ServerSettings(rounds=1, minmax=MinMaxSettings(dual_step_size=0.5, rho=0.25))
    workers: Any = {"a": Pull(1.0), "b": Pull(1.0)}
    honest = run_rounds(workers, start(), server)
    found = run_rounds(workers, start(), server, inflated={"b": 10.0})
    assert honest.site_weights["b"] == pytest.approx(0.5)
    assert found.site_weights["b"] > 0.6
    assert found.history[0]["valid"]["b"] == {
        "loss": 10.0,
        "recall_at_5": honest.history[0]["valid"]["b"]["recall_at_5"],
    }
    assert found.history[0]["valid"]["a"] == honest.history[0]["valid"]["a"]


def test_a_false_loss_stays_below_what_the_gate_refuses() -> None:
    found = inflate({"loss": 2.0, "student_loss": 0.5, "recall_at_5": 0.3}, 10.0, pairs=64)
    assert found == {"loss": pytest.approx(4 * np.log(64)), "student_loss": 5.0, "recall_at_5": 0.3}

"""How far honest updates are above the median: short runs of every method on the sets of the quality benchmark."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from admin.jobs.methods import LOCAL, METHODS, POOLED
from admin.study.compare import rounds
from admin.study.compare.trial import Bench, Trial, run_trial
from fedaid.minmax.update_bounds import FORMER_ROUNDS, BoundSettings, NormBounds
from fedaid.minmax.weighted_average import weighted_sum
from fedaid.models.tensor_names import is_alignment, is_statistic
from tests.benchmarks.quality.plan import LONG, Variation, task_of

SETS = ("twin", "noisy", "real")
FEDERATED = tuple(name for name in METHODS if name not in (LOCAL, POOLED))
SHORT = {"align_steps": 4, "pretrain_steps": 8}
ROUNDS = 2  # the first ones differ most
Norms = Mapping[str, float]


@dataclass
class Ratios:
    """The norms of the updates of one run, by phase and part, in the order of rounds; judged as the gate judges them.

    Attributes:
        largest: of all updates, the norm as a multiple of the median that the limit is ten times of.
        judged: number of norms that were compared with a limit.
        above: number of updates above the limit.
    """

    largest: float = 0.0
    judged: int = 0
    above: int = 0
    former: dict[tuple[bool, bool], list[Norms]] = field(default_factory=dict)

    def note(self, updates: Mapping[str, Any], weights: Mapping[str, float]) -> Any:
        """Judges the updates of a phase, then sums them as the method does."""
        some = next(iter(updates.values()))
        align = all(map(is_alignment, some))
        for statistics in (False, True):
            norms = {site: norm_of_part(delta, statistics=statistics) for site, delta in updates.items()}
            earlier = self.former.setdefault((align, statistics), [])
            known = [] if statistics else [norm for one in earlier[-FORMER_ROUNDS:] for norm in one.values()]
            median = NormBounds(1.0, tuple(known)).limit(norms.values())
            self._judge(norms, median)
            earlier.append(norms)
        return weighted_sum(updates, weights)

    def _judge(self, norms: Norms, median: float) -> None:
        if np.isfinite(median):
            ratios = [norm / median for norm in norms.values()]
            self.judged += len(ratios)
            self.above += sum(ratio > BoundSettings().ratio for ratio in ratios)
            self.largest = max(self.largest, *ratios)


def norm_of_part(delta: Mapping[str, Any], *, statistics: bool) -> float:
    """The norm of the learned tensors, or of the statistics, of an update."""
    parts = [t for name, t in delta.items() if is_statistic(name) == statistics and t.dtype.kind == "f"]
    return float(np.sqrt(sum(np.square(tensor, dtype=np.float64).sum() for tensor in parts)))


def ratios_of(trial: Trial) -> Ratios:
    """Runs a trial in this process and returns the ratios of its updates."""
    found = Ratios()
    with patch.object(rounds, "weighted_sum", found.note), patch.object(Bench, "tested", lambda *_: {}):
        run_trial(trial)
    return found


def trials_of_set(name: str, folder: Path, methods: tuple[str, ...] = FEDERATED) -> Iterator[Trial]:
    """A short run of each method on one set; the sites' training alone comes first, for the method that needs it."""
    size = replace(LONG, rounds=ROUNDS, tested=32, settings=SHORT if name != "real" else {})
    tasks = [task_of(name, size, Variation(method), seed=0, folder=folder) for method in (LOCAL, *methods)]
    for write in dict.fromkeys(write for task in tasks for write in task.inputs):
        write()
    alone, *trials = [task.trial for task in tasks]
    result = folder / f"{name}-alone.json"
    for trial in trials:
        if METHODS[trial.method].settings.get("loss_baseline") == "alone" and not result.exists():
            result.write_text(json.dumps(run_trial(alone)))
        yield replace(trial, alone=str(result) if result.exists() else None)

"""The methods that one job can run, each given by a few settings: baselines, FedAID, and ablations of FedAID."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any

from fedaid.errors import InputError, closest, require
from fedaid.minmax.server_optimizer import ServerOptimizerSettings
from fedaid.minmax.settings import MinMaxSettings
from fedaid.setting import plain_values
from fedaid.training.settings import TrainingSettings

JOB = "fedaid_pretrain"  # the one source of all methods
LOCAL, POOLED = "local", "pooled"  # the two methods without a federation
NOTHING: Mapping[str, object] = MappingProxyType({})
ONE_PHASE: Mapping[str, object] = MappingProxyType({"alignment_phase": False})
NO_BASELINE: Mapping[str, object] = MappingProxyType({"loss_baseline": "none", "report_student_loss": False})
NO_MINMAX: Mapping[str, object] = MappingProxyType({"dual_step_size": 0.0, **NO_BASELINE})
PLAIN: Mapping[str, object] = MappingProxyType(
    {
        **ONE_PHASE,
        **NO_MINMAX,
        "max_site_weight": None,
        "min_site_weight": 0.0,
        "initial_site_weights": "pairs",
        "fairness_power": 0.0,
        "server_optimizer": "sgd",
        "server_learning_rate": 1.0,
        **plain_values(TrainingSettings),
    }
)


@dataclass(frozen=True)
class Method:
    """A method.

    Attributes:
        name: for ``--method``.
        title: one line for a table.
        settings: the job's settings that the method changes, by plain name.
        elsewhere: how to run it, for a method without a federation; empty for the others.
    """

    name: str
    title: str
    settings: Mapping[str, object]
    elsewhere: str = ""

    @property
    def one_phase(self) -> bool:
        """Whether a round is one task, without an alignment phase."""
        return self.settings.get("alignment_phase") is False


def table(*methods: tuple[str, str, Mapping[str, object]], elsewhere: Mapping[str, str]) -> dict[str, Method]:
    """Return the methods by name."""
    return {name: Method(name, title, settings, elsewhere.get(name, "")) for name, title, settings in methods}


ADAM = {"server_momentum": 0.9, "server_second_moment": 0.99, "server_epsilon": 1e-3}
ALONE = {"loss_baseline": "alone", "report_student_loss": False}
AFL = {"dual_step_size": 0.5, "max_site_weight": 1.0, "initial_site_weights": "uniform"}
METHODS: Mapping[str, Method] = table(
    (LOCAL, "each site alone", PLAIN),
    (POOLED, "one model on the data of all sites: the reference where data may be pooled", PLAIN),
    ("fedavg", "federated averaging, weights by pairs", PLAIN),
    ("fedavg_uniform", "fedavg, all sites weigh the same", {**PLAIN, "initial_site_weights": "uniform"}),
    ("fedprox", "fedavg, each site held near the round's model", {**PLAIN, "proximal_weight": 0.01}),
    (
        "fedavgm",
        "fedavg with momentum at the server",
        {**PLAIN, "server_optimizer": "momentum", "server_momentum": 0.9},
    ),
    (
        "fedadam",
        "fedavg with Adam at the server",
        {**PLAIN, "server_optimizer": "adam", "server_learning_rate": 0.01, **ADAM},
    ),
    ("fedbn", "fedavg, each site keeps its own normalisation", {**PLAIN, "local_normalisation": True}),
    ("moon", "fedavg with a model-contrastive term", {**PLAIN, "moon_weight": 1.0, "moon_temperature": 0.5}),
    ("qfedavg", "fedavg, weights by pairs times loss", {**PLAIN, "fairness_power": 1.0}),
    ("afl", "min-max over all site weights, without a ball", {**PLAIN, **AFL}),
    ("fedaid", "the job as it stands", {}),
    ("fedaid_one_phase", "without the alignment phase", ONE_PHASE),
    ("fedaid_no_binding", "without the binding", {"binding_weight": 0.0}),
    ("fedaid_no_minmax", "with site weights that stay uniform", NO_MINMAX),
    ("fedaid_fresh_teacher", "the teacher sees each view anew: the slow path", {"teacher_view": "fresh"}),
    ("fedaid_similarity", "binds the image-text similarities of a batch", {"binding_form": "similarity"}),
    ("fedaid_warmup", "the binding grows over 5 rounds", {"binding_schedule": "warmup", "binding_warmup_rounds": 5}),
    ("fedaid_teacher_schedule", "the binding grows with the teacher's quality", {"binding_schedule": "teacher"}),
    ("fedaid_raw_loss", "min-max over the sites' losses as they are, without a baseline", NO_BASELINE),
    ("fedaid_alone_baseline", "min-max over what a site loses against training alone", ALONE),
    elsewhere={
        LOCAL: "Package the job for it: python -m admin package local_pretrain.",
        POOLED: "A federation does not pool data; compare runs this method in one process.",
    },
)


def method_named(name: str) -> Method:
    """Return the method of this name.

    Raises:
        InputError: the name is unknown.
    """
    remedy = closest(name, list(METHODS))
    require(name in METHODS, "method", "be a known one", got=name, where="--method", remedy=remedy)
    return METHODS[name]


def settings_of(method: Method, stands: Mapping[str, Any]) -> dict[str, object]:
    """Return the settings that a method changes, at equal compute.

    A method with one phase takes T1 + T2 steps in it.

    Args:
        method: of the table.
        stands: the settings before, with ``align_steps`` T1 and ``pretrain_steps`` T2.
    """
    if not method.one_phase:
        return dict(method.settings)
    return {**method.settings, "align_steps": 0, "pretrain_steps": stands["align_steps"] + stands["pretrain_steps"]}


def job_settings(name: str, job: str, *, stands: Mapping[str, Any], chosen: Mapping[str, object]) -> dict[str, object]:
    """Return the settings to change in a packaged job: those of the method, overridden by those that a person chose.

    Args:
        name: of the method.
        job: name of the source job.
        stands: the source job's settings by plain name.
        chosen: settings of ``--set``. For a method with one phase, ``pretrain_steps`` is all steps of a round.

    Raises:
        InputError: the job cannot run the method, or ``align_steps`` is given for a method with one phase.
    """
    method = method_named(name)
    if method.elsewhere:
        raise InputError("method", "be one that a job runs", got=name, where=f"job {job}", remedy=method.elsewhere)
    require(job == JOB, "--method", f"be used with {JOB}", got=job, where="--method", remedy=f"Package {JOB}.")
    settings = settings_of(method, stands)
    wanted = next((value for key, value in chosen.items() if key.rpartition(".")[2] == "align_steps"), 0)
    rule = f"be left out with the method {name}, which has one phase"
    remedy = f"Set pretrain_steps to all steps of a round; the job's are {settings.get('pretrain_steps')}."
    require(not (method.one_phase and wanted), "align_steps", rule, got=wanted, where="--set", remedy=remedy)
    return {**settings, **chosen}


@dataclass(frozen=True)
class LoopSettings:
    """A method's settings, grouped by their user.

    Attributes:
        training: of the sites' local training.
        minmax: of the site weights.
        optimizer: of the server.
        rest: all others by name: ``alignment_phase``, rounds, selection, the model's.
    """

    training: TrainingSettings
    minmax: MinMaxSettings
    optimizer: ServerOptimizerSettings
    rest: Mapping[str, Any]


def loop_settings(name: str, base: Mapping[str, Any], changes: Mapping[str, Any] = NOTHING) -> LoopSettings:
    """Return base settings with a method's changes, grouped for a loop that runs the rounds without FLARE.

    Args:
        name: of the method.
        base: settings by plain name; ``align_steps`` and ``pretrain_steps`` must be among them.
        changes: settings that override the method's.

    Raises:
        InputError: the method is unknown, or a value is out of range.
    """
    left = {**base, **settings_of(method_named(name), base), **changes}

    def taken(kind: type) -> dict[str, Any]:
        return {field.name: left.pop(field.name) for field in fields(kind) if field.name in left}

    training, minmax = TrainingSettings(**taken(TrainingSettings)), MinMaxSettings(**taken(MinMaxSettings))
    return LoopSettings(training, minmax, ServerOptimizerSettings(**taken(ServerOptimizerSettings)), rest=left)

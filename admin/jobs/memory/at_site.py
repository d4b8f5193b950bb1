"""The memory of a site, by what is in it at the moment when it is largest."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from admin.jobs.cost import ModelSize
from admin.jobs.memory.step_peak import StepPeak
from fedaid.training.settings import TrainingSettings

PROCESSES = 0.5e9  # bytes of the job's process and the one that trains, with a model without size (docs/sizing.md)
MORE_PROCESS = 0.4e9  # of each process more that shares a batch
MOMENTS = 2  # of AdamW
MIB = 2**20
ACTIVATIONS = "activations"
Terms = Mapping[str, float]  # what is in memory → bytes


def site_memory(size: ModelSize, peak: StepPeak, settings: TrainingSettings) -> Terms:
    """Return what is in memory at the larger of two moments: a step of phase two, or its teacher's last encoder pass.

    The start of a phase, the update, what was received, and what a rounding wire keeps are in files. The machine can
    drop their pages, so they are not counted. On a GPU site all but the processes and the cache is in the memory of the
    GPU.

    Args:
        size: of the model.
        peak: of a step and of an encoder pass.
        settings: of local training.
    """
    moments = [training(size, peak, settings), teacher_pass(peak, settings)]
    largest = max(moments, key=lambda terms: sum(terms.values()))
    common = {"processes": PROCESSES, "weights": size.whole}
    return MappingProxyType(common | several(size, settings, largest))


def training(size: ModelSize, peak: StepPeak, settings: TrainingSettings) -> dict[str, float]:
    """Return what a step needs besides the weights."""
    trained = size.whole - size.frozen
    activations = max(0, peak.training - trained)  # they go while the gradients come
    found = {"gradients": trained, "moments": MOMENTS * trained, ACTIVATIONS: activations}
    if settings.proximal_weight:
        found["start (FedProx)"] = trained
    if settings.binding_weight and settings.teacher_view == "fresh":
        found["second model (fresh teacher)"] = size.whole
    if settings.moon_weight:
        found["previous model (MOON)"] = size.whole
    return {name: float(count) for name, count in found.items()}


def teacher_pass(peak: StepPeak, settings: TrainingSettings) -> dict[str, float]:
    """Return what the pass over the samples of phase two needs besides the weights."""
    samples = max(settings.align_steps, settings.pretrain_steps) * settings.batch_size
    cached = min(settings.feature_memory_mb * MIB, samples * peak.cached)
    return {"encoder outputs": float(cached), ACTIVATIONS: float(peak.features)}


def several(size: ModelSize, settings: TrainingSettings, moment: dict[str, float]) -> dict[str, float]:
    """Return a moment of the processes that share a batch; each has the model, and one more does not train."""
    count = settings.processes
    if count == 1:
        return moment
    more = {"more processes": count * MORE_PROCESS, "their weights": float(count * size.whole)}
    return more | {name: count * held for name, held in moment.items()}

"""What a round costs, computed: bytes, seconds and memory, of a model, a federation and a network."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from fedaid.models.configuration import without_folders
from fedaid.models.dual_encoder import DualEncoder
from fedaid.models.tensor_names import is_alignment

FLOAT = 4  # bytes
DOWNLOAD = "np_min_download_timeout"  # FLARE: how long the sender of arrays waits for a receiver that says nothing
NETWORK_SHARE = 0.9  # of the nominal bandwidth that TLS over TCP leaves
FLARE_BYTES_PER_SECOND = 150e6  # what FLARE moved on two cores, over all sites (docs/wire.md)
MODELS_AT_SITE = 10  # weights, gradients, two moments, teacher, the round's model, start, end, update, residual
MODELS_AT_SERVER = 8  # global, broadcast, view, step, an update, its sum, and FLARE's buffers: a rule of thumb
ON_THE_WAY = 16e6  # bytes at the server for a site, in blocks that are sent or received (docs/wire.md)
VALIDATION_STEP = 1 / 3  # of a training step: student and teacher forward, and a backward of about two forwards
HELD_OUT = 0.15  # of a site's studies in its validation split, and as many in its test split
PROCESS_BYTES = {"site": 0.4e9, "server": 0.3e9}


@dataclass(frozen=True)
class ModelSize:
    """Bytes of a model: whole; of what learns, its matrices (which can be packed) and their rows; the same of its
    alignment; and what is frozen, which travels in the first round only.
    """

    whole: int
    matrices: int
    rows: int
    alignment: int
    alignment_matrices: int
    alignment_rows: int
    parameters: int
    frozen: int = 0

    def packed(self, dtype: str, *, alignment: bool = False) -> int:
        """Bytes of a difference on the wire, of the whole model or of its alignment modules."""
        whole, matrices, rows = (
            (self.alignment, self.alignment_matrices, self.alignment_rows)
            if alignment
            else (self.whole - self.frozen, self.matrices, self.rows)
        )
        share = {"fp32": 1.0, "bf16": 0.5, "int8": 0.25}[dtype]
        return round(whole - matrices * (1 - share)) + (FLOAT * rows if dtype == "int8" else 0)


def model_size(configuration: Mapping[str, Any]) -> ModelSize:
    """Sizes of the model that a job's persistor would build; no memory is taken for it."""
    with torch.device("meta"):
        model = DualEncoder(**without_folders(configuration))
    state = model.state_dict()
    frozen = {name for name, weight in model.named_parameters() if not weight.requires_grad}
    sizes = {name: tensor.numel() * tensor.element_size() for name, tensor in state.items()}
    packed = {name for name, tensor in state.items() if tensor.ndim >= 2 and tensor.dtype == torch.float32} - frozen
    align = {name for name in state if is_alignment(name)}
    return ModelSize(
        whole=sum(sizes.values()),
        matrices=sum(sizes[name] for name in packed),
        rows=sum(len(state[name]) for name in packed),
        alignment=sum(sizes[name] for name in align),
        alignment_matrices=sum(sizes[name] for name in packed & align),
        alignment_rows=sum(len(state[name]) for name in packed & align),
        parameters=sum(tensor.numel() for tensor in state.values() if tensor.is_floating_point()),
        frozen=sum(sizes[name] for name in frozen),
    )


@dataclass(frozen=True)
class Federation:
    """Who takes part and how they are joined.

    Attributes:
        sites: S.
        bandwidth_mbit: of every link, each way; the server's one is shared by all sites.
        step_seconds: of one step of local training at the slowest site.
        align_steps, pretrain_steps: T1, T2.
        wire_dtype: ``fp32``, ``bf16`` or ``int8``.
        alignment_phase: false for FedAvg's round.
        studies: of the largest site, all splits.
        batch_size: B of a step.
        decode_seconds: to read a study's image for the first time, at the rate of all the site's decoding processes.
        student_loss: whether a site measures the model that it trained, too, at the latest when the next task begins.
    """

    sites: int
    bandwidth_mbit: float
    step_seconds: float
    align_steps: int
    pretrain_steps: int
    wire_dtype: str = "fp32"
    alignment_phase: bool = True
    studies: int = 0
    batch_size: int = 1
    decode_seconds: float = 0.0
    student_loss: bool = False


@dataclass(frozen=True)
class Phase:
    """One task of a round: bytes of one site each way, and seconds that it takes, validation included."""

    task: str
    down: int
    up: int
    transfer_seconds: float
    work_seconds: float

    @property
    def seconds(self) -> float:
        """All of it."""
        return self.transfer_seconds + self.work_seconds


def phases(size: ModelSize, federation: Federation) -> list[Phase]:
    """The tasks of a round after the first, in which every site gets the whole model at 32 bits."""
    dtype = federation.wire_dtype
    whole, part = size.packed(dtype), size.packed(dtype, alignment=True)
    aligning, training = (
        steps * federation.step_seconds for steps in (federation.align_steps, federation.pretrain_steps)
    )
    measuring = validation(federation) * (1 + federation.student_loss)
    tasks = [("align", whole, part, aligning + measuring), ("pretrain", part, whole, training)]
    if not federation.alignment_phase:
        tasks = [("train", whole, whole, training + measuring)]
    return [Phase(task, down, up, transfer(down + up, federation), work) for task, down, up, work in tasks]


def validation(federation: Federation) -> float:
    """Seconds to measure a model on one held-out split: at the start of a round, where a site may owe its own, too."""
    batches = HELD_OUT * federation.studies / federation.batch_size
    return batches * VALIDATION_STEP * federation.step_seconds


def decoding(federation: Federation) -> float:
    """Seconds until a site has read its images, in its first task of all; none where ``admin.prepare`` did it."""
    return federation.studies * federation.decode_seconds


def longest_work(federation: Federation, tasks: Sequence[Phase]) -> float:
    """Seconds of the longest task of a run without its transfer: the first decodes, the last measures both splits.

    Where the sites measure their own models, the last task finds one that is not measured yet.
    """
    first, *others = (task.work_seconds for task in tasks)
    return max(first + decoding(federation), (2 + federation.student_loss) * validation(federation), *others)


def transfer(of_one_site: int, federation: Federation) -> float:
    """Seconds until all sites have exchanged so many bytes each: the server's link carries them all."""
    link = federation.bandwidth_mbit * 1e6 / 8 * NETWORK_SHARE
    return federation.sites * of_one_site / min(link, FLARE_BYTES_PER_SECOND)


def first_exchange(size: ModelSize, federation: Federation) -> float:
    """Seconds of the largest exchange of a run: the whole model at 32 bits to every site, at the start or the end."""
    return transfer(size.whole + size.packed(federation.wire_dtype), federation)


def site_memory(size: ModelSize) -> float:
    """Bytes at a site without the activations of a batch, which depend on batch and image size."""
    return PROCESS_BYTES["site"] + MODELS_AT_SITE * size.whole


def server_memory(size: ModelSize, federation: Federation) -> float:
    """Bytes at the server: answers are on disk as they come, so that a site adds what is on the way to or from it."""
    return PROCESS_BYTES["server"] + MODELS_AT_SERVER * size.whole + ON_THE_WAY * federation.sites


def server_disk(size: ModelSize, federation: Federation) -> float:
    """Bytes on the server's disk during a round: of every site the update as it came and as it waits for the sum, three
    generations of the model and FLARE's two files of it.
    """
    update = size.packed(federation.wire_dtype) + size.packed("fp32")
    return float(federation.sites * update + 5 * size.whole)


def timeouts(size: ModelSize, federation: Federation) -> dict[str, int]:
    """FLARE's timeouts in seconds that the run needs, each twice what was computed and a minute.

    ``task_timeout`` and ``wait_time_after_min_received`` are a job's own settings, the others are FLARE's by name. With
    ``min_clients`` below the number of sites the wait begins when so many have answered, and ends the task for the
    others: the slowest may need the longest work and an exchange more than a site that had next to nothing to do.
    """
    longest = longest_work(federation, phases(size, federation))
    exchange = first_exchange(size, federation)
    return {
        "task_timeout": seconds_with_margin(longest + exchange),
        "wait_time_after_min_received": seconds_with_margin(longest + exchange),
        "get_task_timeout": seconds_with_margin(exchange),
        "submit_task_result_timeout": seconds_with_margin(exchange),
        DOWNLOAD: max(300, seconds_with_margin(exchange / federation.sites)),
    }


def request_interval(sites: int) -> float:
    """Seconds between two questions of a waiting site for its next task: at most 200 a second at the server."""
    return max(0.1, sites / 200)


def seconds_with_margin(computed: float) -> int:
    """Twice the seconds and a minute, whole."""
    return math.ceil(2 * computed) + 60

"""What the rounds of a planned federation cost: bytes and seconds, computed."""

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
DOWNLOAD = "np_min_download_timeout"  # FLARE: how long the sender of arrays waits for a silent receiver
NETWORK_SHARE = 0.9  # of the nominal bandwidth, after TCP and TLS
FLARE_BYTES_PER_SECOND = 150e6  # moved by FLARE on two cores, all sites together (docs/wire.md)
VALIDATION_STEP = 1 / 3  # of a training step, which is two forward passes and a backward pass of about two more
HELD_OUT = 0.15  # of a site's studies in its validation split; its test split has the same number


@dataclass(frozen=True)
class ModelSize:
    """Bytes of a model and of its parts.

    Attributes:
        whole: of all tensors.
        matrices: of the trainable float32 matrices, which can be packed.
        rows: number of rows of those matrices.
        alignment, alignment_matrices, alignment_rows: the same three of the alignment modules.
        parameters: number of floating-point values.
        frozen: of the frozen tensors, which travel in the first round only.
        largest: of the largest tensor that is not frozen.
    """

    whole: int
    matrices: int
    rows: int
    alignment: int
    alignment_matrices: int
    alignment_rows: int
    parameters: int
    frozen: int = 0
    largest: int = 0

    def packed(self, dtype: str, *, alignment: bool = False) -> int:
        """Return the bytes of an update on the wire, of the whole model or of its alignment modules."""
        whole, matrices, rows = (
            (self.alignment, self.alignment_matrices, self.alignment_rows)
            if alignment
            else (self.whole - self.frozen, self.matrices, self.rows)
        )
        share = {"fp32": 1.0, "bf16": 0.5, "int8": 0.25}[dtype]
        return round(whole - matrices * (1 - share)) + (FLOAT * rows if dtype == "int8" else 0)


def model_size(configuration: Mapping[str, Any]) -> ModelSize:
    """Return the sizes of the model that a job's persistor would build, without memory for its weights."""
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
        largest=max((size for name, size in sizes.items() if name not in frozen), default=0),
    )


@dataclass(frozen=True)
class PlannedFederation:
    """A federation for which a job is planned, and the job's settings that its cost depends on.

    Attributes:
        sites: S.
        bandwidth_mbit: of every link, each way; all sites share the server's link.
        step_seconds: of one step of local training at the slowest site.
        align_steps, pretrain_steps: T1, T2.
        wire_dtype: ``fp32``, ``bf16`` or ``int8``.
        alignment_phase: false for FedAvg's round.
        studies: of the largest site, all splits.
        batch_size: B of a step.
        decode_seconds: to read a study's image for the first time, over all decoding processes of the site.
        student_loss: whether a site also validates the model that it trained, before its next task at the latest.
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
    """One task of a round: the bytes of one site each way, and the seconds, validation included."""

    task: str
    down: int
    up: int
    transfer_seconds: float
    work_seconds: float

    @property
    def seconds(self) -> float:
        """Transfer and work."""
        return self.transfer_seconds + self.work_seconds


def phases(size: ModelSize, federation: PlannedFederation) -> list[Phase]:
    """Return the tasks of every round but the first; in the first, every site gets the whole model at 32 bits."""
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


def validation(federation: PlannedFederation) -> float:
    """Return the seconds to measure a model on one held-out split."""
    batches = HELD_OUT * federation.studies / federation.batch_size
    return batches * VALIDATION_STEP * federation.step_seconds


def decoding(federation: PlannedFederation) -> float:
    """Return the seconds until a site has read its images in the run's first task; 0 for a prepared site."""
    return federation.studies * federation.decode_seconds


def longest_work(federation: PlannedFederation, tasks: Sequence[Phase]) -> float:
    """Return the seconds of work of a run's longest task.

    The first task decodes the images. The last task measures both splits, and, where the sites validate the models
    that they trained, also the last of those.
    """
    first, *others = (task.work_seconds for task in tasks)
    return max(first + decoding(federation), (2 + federation.student_loss) * validation(federation), *others)


def transfer(of_one_site: int, federation: PlannedFederation) -> float:
    """Return the seconds until each site has exchanged this many bytes; the server's link carries all of them."""
    link = federation.bandwidth_mbit * 1e6 / 8 * NETWORK_SHARE
    return federation.sites * of_one_site / min(link, FLARE_BYTES_PER_SECOND)


def first_exchange(size: ModelSize, federation: PlannedFederation) -> float:
    """Return the seconds of a run's largest exchange: the whole model at 32 bits to every site, and an update back."""
    return transfer(size.whole + size.packed(federation.wire_dtype), federation)


def server_disk(size: ModelSize, federation: PlannedFederation) -> float:
    """Return the bytes on the server's disk during a round.

    These are the update of every site as it arrived and as it waits for the sum, three generations of the model, and
    FLARE's two files of it.
    """
    update = size.packed(federation.wire_dtype) + size.packed("fp32")
    return float(federation.sites * update + 5 * size.whole)


def timeouts(size: ModelSize, federation: PlannedFederation) -> dict[str, int]:
    """Return the timeouts in seconds that the run needs, each twice the computed time and a minute.

    ``task_timeout`` and ``wait_time_after_min_received`` are settings of a job; the others are FLARE's, by its names.
    With ``min_clients`` below the number of sites, the wait begins when ``min_clients`` sites have answered, and its
    end closes the task for the others. The slowest site may then still need all of its work and an exchange.
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
    """Return the seconds between two task requests of a waiting site: at most 200 requests a second at the server."""
    return max(0.1, sites / 200)


def seconds_with_margin(computed: float) -> int:
    """Return twice the seconds and a minute, rounded up."""
    return math.ceil(2 * computed) + 60

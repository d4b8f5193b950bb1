"""The memory of the server's process of a job, by what is in it when a round's updates are summed."""

from __future__ import annotations

from types import MappingProxyType

from admin.jobs.cost import ModelSize
from admin.jobs.memory.at_site import Terms

PROCESS = 0.35e9  # bytes of the job's process with a model without size (docs/sizing.md)
ON_THE_WAY = 16e6, 1 / 16  # for each site: bytes at least, and share of what moves: eight blocks (docs/wire.md)
IN_FLOAT64 = 8  # a tensor and its sum, step and new value: four times twice the bytes
MOMENTS = {"sgd": 0, "momentum": 1, "adam": 2}


def server_memory(size: ModelSize, *, sites: int, wire_dtype: str = "fp32", optimizer: str = "sgd") -> Terms:
    """Return what is in memory at the end of a round. Sites add only their blocks, because answers go to the disk.

    Args:
        size: of the model.
        sites: S.
        wire_dtype: ``fp32``, ``bf16`` or ``int8``.
        optimizer: of the server; its moments before a round stay until the new model is found sound.
    """
    moved = size.whole - size.frozen
    terms = {
        "process": PROCESS,
        "round's model": size.whole,
        "ideal alignment": size.alignment,
        "new model": moved,
        "a tensor in float64": IN_FLOAT64 * size.largest,
        "blocks on the way": max(ON_THE_WAY[0], ON_THE_WAY[1] * moved) * sites,
        "moments, before and after": 2 * MOMENTS[optimizer] * moved,
    }
    if wire_dtype != "fp32":
        terms |= {"model as the sites hold it": moved, "last step to the sites": size.packed(wire_dtype)}
    return MappingProxyType({name: float(count) for name, count in terms.items() if count})

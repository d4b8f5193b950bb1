"""The memory that a packaged job takes, at a site and at the server."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from admin.jobs.cost import ModelSize
from admin.jobs.memory.at_server import server_memory
from admin.jobs.memory.at_site import ACTIVATIONS, Terms, site_memory
from admin.jobs.memory.step_peak import step_peak
from admin.jobs.settings import model_configuration, training_settings, values_by_name

GIGA = 1e9


class JobMemory(NamedTuple):
    """What is in memory when it is largest: name → bytes."""

    site: Terms
    server: Terms

    @property
    def totals(self) -> Mapping[str, float]:
        """``a site`` and ``the server`` → bytes."""
        return {"a site": sum(self.site.values()), "the server": sum(self.server.values())}

    @property
    def without_activations(self) -> float:
        """Bytes at a site, but for the activations of a batch, which a GPU has in its own memory."""
        return sum(held for name, held in self.site.items() if name != ACTIVATIONS)


def job_memory(job: Path, size: ModelSize, *, sites: int) -> JobMemory:
    """Return the memory of a packaged job with this number of sites.

    Args:
        job: its folder.
        size: of its model.
        sites: S.
    """
    values, settings = values_by_name(job), training_settings(job)
    wire = values.get("wire_dtype", "fp32")
    peak = step_peak(model_configuration(job), settings)
    optimizer = values.get("server_optimizer", "sgd")
    return JobMemory(
        site_memory(size, peak, settings),
        server_memory(size, sites=sites, wire_dtype=wire, optimizer=optimizer),
    )


def memory_text(memory: JobMemory) -> str:
    """Return both sums and what they are of, largest first."""
    lines = []
    for (who, total), terms in zip(memory.totals.items(), memory, strict=True):
        ordered = sorted(terms.items(), key=lambda term: -term[1])
        parts = ", ".join(f"{name} {held / GIGA:.2f}" for name, held in ordered)
        lines.append(f"memory of {who}: {total / GIGA:.1f} GB ({parts})")
    return "\n".join(lines)


def memory_problems(memory: JobMemory) -> list[str]:
    """Return a line for a site, and one for the server, that needs more memory than this machine has."""
    here = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    remedies = {"a site": "a GPU, micro_batch_size, gradient_checkpointing or a larger machine there"}
    return [
        f"{who} needs {needed / GIGA:.1f} GB of memory, this machine has {here / GIGA:.1f} GB: "
        f"use {remedies.get(who, 'a larger machine there')}, or a smaller model"
        for who, needed in memory.totals.items()
        if needed > here
    ]

"""Checks of the machine: disk, memory, GPU, against a job's plan or the least needs of any job."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from admin.federation.kits.startup_kit import RESOURCES, SERVER, SITE, section
from admin.jobs.memory.job_memory import GIGA
from admin.site.doctor.doctor_check import ERROR, NOTE, WARNING
from admin.site.kit.checks.storage_checks import folders
from admin.site.kit.kit_finding import MACHINES, ExaminedKit, KitCheck, Place
from admin.site.kit.machine_needs import needs_of

GPU_MANAGER = "gpu_resource_manager"


def little_disk(examined: ExaminedKit) -> Iterator[Place]:
    """Find disks of the kit and its stores with too little free space."""
    needed = needs_of(examined.job, server=examined.kit.kind == SERVER)
    for setting, folder in [("kit", examined.kit.folder), *folders(examined)]:
        free = free_bytes(folder)
        if free < needed.disk:
            yield Place(setting, f"{free / GIGA:.1f} GB free, {needed.disk / GIGA:.1f} GB needed: {needed.source}")


def free_bytes(folder: Path) -> int:
    """Return the free bytes of the disk on which a folder is or would be."""
    return shutil.disk_usage(
        next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    ).free


def little_memory(examined: ExaminedKit) -> Iterator[Place]:
    """Find a machine with too little memory."""
    gpus = present_gpus() if examined.job else 0
    needed, here = needs_of(examined.job, server=examined.kit.kind == SERVER, gpus=gpus), memory_bytes()
    if here < needed.memory:
        yield Place("memory", f"{here / GIGA:.1f} GB, {needed.memory / GIGA:.1f} GB needed: {needed.source}")


def memory_bytes() -> int:
    """Return the bytes of memory of this machine."""
    return int(psutil.virtual_memory().total)


def wanted_gpus(examined: ExaminedKit) -> int:
    """Return how many GPUs the site offers to jobs."""
    managers = [one for one in examined.kit.components if GPU_MANAGER in str(one.get("path"))]
    number = section(managers[0], "args").get("num_of_gpus", 0) if managers else 0
    return number if isinstance(number, int) else 0


def present_gpus() -> int:
    """Return how many GPUs torch can use."""
    import torch

    return torch.cuda.device_count() if torch.cuda.is_available() else 0


def missing_gpus(examined: ExaminedKit) -> Iterator[Place]:
    """Find a site that offers more GPUs than it has; it does not start."""
    wanted, present = wanted_gpus(examined), present_gpus()
    if wanted > present:
        yield examined.place(examined.kit.setting_file(RESOURCES), f"num_of_gpus {wanted}, {present} present")


def gpus(examined: ExaminedKit) -> Iterator[Place]:
    """State how many GPUs there are."""
    del examined
    yield Place("GPU", f"{present_gpus()} that torch can use")


MACHINE_CHECKS = (
    KitCheck(
        "disk-low",
        "Too little free disk space",
        "Free space, or set a store on another disk.",
        WARNING,
        little_disk,
        MACHINES,
    ),
    KitCheck(
        "memory-low", "Too little memory", "Use a larger machine, or a smaller model.", WARNING, little_memory, MACHINES
    ),
    KitCheck(
        "gpu-missing",
        "The site offers more GPUs than it has, and will not start",
        "Correct num_of_gpus, or the GPU's driver (nvidia-smi).",
        ERROR,
        missing_gpus,
        (SITE,),
    ),
    KitCheck("gpu", "GPU", "Nothing. Without a GPU the site trains on the processor, slowly.", NOTE, gpus, (SITE,)),
)

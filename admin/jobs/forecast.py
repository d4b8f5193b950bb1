"""The page docs/projection.md: what rounds would cost in a large federation, computed and not measured."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from admin.jobs.cost import (
    HELD_OUT,
    ModelSize,
    PlannedFederation,
    model_size,
    phases,
    server_disk,
    timeouts,
)
from admin.jobs.memory.at_server import server_memory
from admin.jobs.memory.at_site import ACTIVATIONS, site_memory
from admin.jobs.memory.job_memory import JobMemory
from admin.jobs.memory.step_peak import step_peak
from fedaid.training.settings import TrainingSettings

PAGE = Path("docs/projection.md")
STUDIES = 227_827  # in MIMIC-CXR-JPG, Johnson et al. 2019, arXiv:1901.07042
SITES, BANDWIDTHS = (5, 20, 100), (1000.0, 100.0)
TOWER = {"hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12, "num_attention_heads": 12}
MODEL: dict[str, Any] = {
    "image_encoder": {"name": "vit", "patch_size": 16} | TOWER,
    "text_encoder": {"name": "bert"} | TOWER,
    "image_size": 224,
    "embedding_dim": 128,
    "projection_hidden": 2048,
    "max_tokens": 112,
}
BATCH, STEP_SECONDS = 128, 0.5  # an assumption, see the page
ALIGN_STEPS, PRETRAIN_STEPS = 20, 50  # as in the released code of the method
HEAD = """# Projection: MIMIC-CXR at 5, 20 and 100 hospitals

**Computed by `python -m admin plan --projection`, not measured.** No such federation was run.

| taken as | value | from |
|---|---|---|
| studies | 227,827, the same number at each hospital | MIMIC-CXR-JPG, Johnson et al. 2019, arXiv:1901.07042 |
| model | ViT-B/16, BERT-base: {parameters:.0f} M parameters, {whole:.0f} MB, alignment {share:.1f} % | built |
| steps in a round | T1 {align}, T2 {pretrain}, batch {batch} | the released code |
| a step | {step} s | an assumption for one GPU; measure yours with `python -m admin plan JOB --measure` |
| validation | {held_out:.0f} % of a site's studies a round; a batch takes a third of a step | as `prepare` splits |
| images | prepared before the run with `prepare` | otherwise the first task decodes them |
| link | the same nominal bandwidth at server and sites, 90 % of it used, and at most 150 MB/s | [wire.md](wire.md) |

- The server's link carries the messages of all sites, so the transfer grows with their number. The work does not.
- A round is the two tasks of a round after the first. Work and transfer are added, although they partly overlap.
- The memory of a site excludes the activations of a batch: {activations:.0f} GB in fp32, less with `micro_batch_size`,
  `gradient_checkpointing` or `precision` ([training.md](training.md)).
- Memory is the sum of what is in it at the largest moment; `python -m admin plan` names the parts.
- A round trains on T2 · batch pairs at each site. The last column is the passes over a site's studies in one round.

Measured memory: [sizing.md](sizing.md).
"""
COLUMNS = (
    *("hospitals", "link", "wire", "down + up, one site", "transfer", "round"),
    *("server memory", "server disk", "site memory", "task_timeout", "passes"),
)


def write_projection(page: Path) -> Path:
    """Write the page and return its path."""
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(projection(), encoding="utf-8")
    return page


def projection() -> str:
    """Return the page as Markdown."""
    size = size_of_model()
    head = HEAD.format(
        parameters=size.parameters / 1e6,
        whole=size.whole / 1e6,
        share=100 * size.alignment / size.whole,
        align=ALIGN_STEPS,
        pretrain=PRETRAIN_STEPS,
        batch=BATCH,
        step=STEP_SECONDS,
        held_out=100 * HELD_OUT,
        activations=memory(SITES[0], "fp32").site[ACTIVATIONS] / 1e9,
    )
    rows = [row(sites, link, dtype) for sites in SITES for link in BANDWIDTHS for dtype in ("fp32", "bf16", "int8")]
    return "\n".join([head, table_line(COLUMNS), table_line(["---"] * len(COLUMNS)), *rows, ""])


def row(sites: int, bandwidth: float, dtype: str) -> str:
    """Return one row of the table."""
    size = size_of_model()
    federation = PlannedFederation(
        sites,
        bandwidth,
        STEP_SECONDS,
        ALIGN_STEPS,
        PRETRAIN_STEPS,
        dtype,
        studies=STUDIES // sites,
        batch_size=BATCH,
    )
    tasks = phases(size, federation)
    exchanged = sum(task.down + task.up for task in tasks) / 1e6
    moved, total = sum(task.transfer_seconds for task in tasks), sum(task.seconds for task in tasks)
    cells = [
        str(sites),
        f"{bandwidth / 1000:g} Gbit/s" if bandwidth >= 1000 else f"{bandwidth:g} Mbit/s",
        dtype,
        f"{exchanged:.0f} MB",
        duration(moved),
        duration(total),
        f"{memory(sites, dtype).totals['the server'] / 1e9:.1f} GB",
        f"{server_disk(size, federation) / 1e9:.0f} GB",
        f"{memory(sites, dtype).without_activations / 1e9:.1f} GB",
        f"{timeouts(size, federation)['task_timeout']} s",
        f"{PRETRAIN_STEPS * BATCH / (STUDIES / sites):.2f}",
    ]
    return table_line(cells)


@cache
def size_of_model() -> ModelSize:
    """Return the bytes of the model."""
    return model_size(MODEL)


def memory(sites: int, dtype: str) -> JobMemory:
    """Return what a site and the server have in memory."""
    size = size_of_model()
    settings = TrainingSettings(batch_size=BATCH, align_steps=ALIGN_STEPS, pretrain_steps=PRETRAIN_STEPS)
    peak = step_peak({"vocabulary": "radiology", **MODEL}, settings)
    site = site_memory(size, peak, settings)
    return JobMemory(site, server_memory(size, sites=sites, wire_dtype=dtype))


def table_line(cells: Sequence[str]) -> str:
    """Return one line of a Markdown table."""
    return f"| {' | '.join(cells)} |"


def duration(seconds: float) -> str:
    """Return a time in seconds, minutes or hours."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"

"""Checks which updates a run clipped, from the norms and the settings that it wrote down."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from admin.results.weight_bounds import taken
from fedaid.minmax.norm_clipping import CLIPPED, ClipSettings


def clip_faults(commit: Mapping[str, Any], entry: Mapping[str, Any], settings: Mapping[str, Any]) -> Iterator[str]:
    """Yield where the clipped updates of a round are not those of the rule.

    Args:
        commit: of the round in the ledger.
        entry: of the round in ``results.json``.
        settings: of the run by path, as in ``run.json``.
    """
    if commit.get(CLIPPED, {}) != entry.get(CLIPPED, {}):
        yield "results.json has other clipped updates"
    chosen, norms = taken(ClipSettings, settings), entry.get("norms", {})
    for phase in sorted({*norms, *commit.get(CLIPPED, {})}):
        if commit.get(CLIPPED, {}).get(phase, {}) != chosen.factors(norms.get(phase, {})):
            yield f"the clipped updates of {phase} are not those of clip_update_norm {chosen.clip_update_norm}"

"""Checks site weights against the bounds that a job sets."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

from fedaid.minmax.projection import ball_radius, weight_ceiling
from fedaid.minmax.settings import MinMaxSettings

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Kind = TypeVar("Kind", bound="DataclassInstance")
ROUNDING = 1e-9  # of a weight
PREFIX, ARGS = "config_fed_server.workflows.", "args"


def weight_faults(weights: Mapping[str, float], settings: Mapping[str, Any]) -> Iterator[str]:
    """Yield which bounds the site weights break: simplex, ball, ceiling or floor.

    Args:
        weights: site → α.
        settings: of the run by path, as in ``run.json``.
    """
    chosen, sites, values = minmax(settings), len(weights), list(weights.values())
    if not all(math.isfinite(value) and value >= 0 for value in values) or abs(math.fsum(values) - 1) > ROUNDING:
        yield "the site weights are not on the simplex"
        return
    if chosen.dual_step_size == 0:
        return
    rho = chosen.for_sites(sites)
    if math.dist(values, [1 / sites] * sites) > ball_radius(sites, rho) + ROUNDING:
        yield f"the site weights are outside the ball of rho {rho:g}"
    if max(values) > weight_ceiling(sites, rho) + ROUNDING:
        yield "a site weight is above the ceiling"
    if min(values) < chosen.min_site_weight - ROUNDING:
        yield f"a site weight is below min_site_weight {chosen.min_site_weight:g}"


def minmax(settings: Mapping[str, Any]) -> MinMaxSettings:
    """Return the settings of the min-max in ``run.json``; defaults for those that the job leaves out."""
    return taken(MinMaxSettings, settings)


def taken(kind: type[Kind], settings: Mapping[str, Any]) -> Kind:
    """Return the settings of one kind of the controller in ``run.json``; defaults for those that the job leaves out."""
    found = {
        path.rpartition(".")[2]: value
        for path, value in settings.items()
        if path.startswith(PREFIX) and path.split(".")[-2] == ARGS
    }
    return kind(**{field.name: found[field.name] for field in fields(kind) if field.name in found})

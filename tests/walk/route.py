"""The walk from the first kit to the last shutdown: the steps of all pages in the order in which they are taken."""

from __future__ import annotations

from collections.abc import Callable

from tests.walk import kit_steps, launcher_steps, operating_steps, policy_steps, recipe_steps
from tests.walk.step import Step
from tests.walk.world import World

PAGES = ("provisioned", "operating", "policy", "recipe", "launchers")
ROUTE: tuple[Step | Callable[[World], None], ...] = (
    kit_steps.keys_at_the_hospital,
    *kit_steps.KITS,
    *kit_steps.STARTED,
    *kit_steps.SUBMITTED,
    *recipe_steps.RECIPES,
    *operating_steps.EVERY_DAY,
    *operating_steps.ENDED_JOBS,
    *policy_steps.RENEWED,
    *policy_steps.POLICY,
    *operating_steps.CHANGED,
    *kit_steps.STOPPED,
    *launcher_steps.LAUNCHERS,
    *operating_steps.MEASURED,
    *policy_steps.MEASURED,
)
STEPS = tuple(stop for stop in ROUTE if isinstance(stop, Step))

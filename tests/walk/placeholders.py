"""What stands here for the placeholders of the pages, and why; a step shows which of these it used."""

from __future__ import annotations

import re
import sysconfig
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from admin.federation.federation import free_port
from admin.federation.poc import poc_project
from tests.integration.conftest import CONTROL, MODEL, TRAINING
from tests.walk.step import Step

if TYPE_CHECKING:
    from tests.walk.world import World

OTHER = {name: value for name, value in CONTROL.items() if name != "num_rounds"}
PREAMBLE = f"""import os
from nvflare.app_common.filters.percentile_privacy import PercentilePrivacy
from nvflare.recipe import PocEnv, ProdEnv, SimEnv, add_experiment_tracking, set_per_site_config
from admin.recipe import FedAIDRecipe

os.environ |= {{"FEDAID_DATA": "/data/{{site}}", "NVFLARE_POC_WORKSPACE": "{{poc_folder}}"}}
recipe = FedAIDRecipe("pilot", min_clients=3, num_rounds=1, model={MODEL}, settings={TRAINING | OTHER})
"""
JOB = "build/jobs/fedaid_pretrain"


@dataclass(frozen=True)
class Placeholder:
    """A pattern of the pages and what it becomes; ``{here}`` in it is the name of the folder of the step."""

    pattern: str
    value: Callable[[World], str]
    why: str


PLACEHOLDERS = (
    Placeholder(r"\bKITS/", lambda world: f"{world.kits}/", "the folder of the kits"),
    Placeholder(r"(?<=kit )(?:KIT\b|\.\.\.)", lambda world: str(world.kit("lead@consortium.org")), "the lead's kit"),
    Placeholder(r"\bJOB_ID\b", lambda world: world.values["JOB_ID"], "the job of the walk"),
    Placeholder(r"\bRUN_FOLDER\b", lambda world: f"build/results/{world.values['DONE']}/workspace", "its download"),
    Placeholder(r"\bJOB\b", lambda world: f"{world.checkout}/{JOB}", "the packaged job"),
    Placeholder(r"\{long\}", lambda world: f"{world.checkout}/build/long/fedaid_pretrain", "a job of 500 rounds"),
    Placeholder(r"/srv/fedaid\b", lambda world: str(world.srv), "a folder of the walk; /srv belongs to the machine"),
    Placeholder(r"/data/fedaid\b", lambda world: f"{world.folder}/data/{{here}}", "the data of the site"),
    Placeholder(r"(?<![\w-])site-1\b", lambda world: str(world.kit("hospital-north")), "the kit of a site"),
    Placeholder(r"/data/\{site\}", lambda world: f"{world.folder}/data/{{site}}", "the data of sites a, b and c"),
    Placeholder(r"\bMODEL_FOLDER\b", lambda world: f'"{best_model(world)}"', "the model of the walk's run"),
    Placeholder(r"\{libraries\}", lambda world: sysconfig.get_path("purelib"), "the libraries of this environment"),
    Placeholder(r"\{poc_folder\}", lambda world: f"{world.folder}/poc", "a folder of the walk"),
    Placeholder(r"\{poc\}", lambda world: repr(own_poc(world)), "a project file for a free port"),
    Placeholder(r"SHA256:\.\.\.", lambda world: world.values["FINGERPRINT"], "what the lead would read aloud"),
)


def best_model(world: World) -> Path:
    """The folder of the model that the walk's first run selected."""
    run = world.checkout / "build" / "results" / world.values["DONE"] / "workspace" / "app_server" / "fedaid"
    return next(run.glob("best-*"))


def own_poc(world: World) -> dict[str, str]:
    """Arguments of FLARE's PocEnv that keep it off port 8002, which belongs to the machine."""
    file = world.folder / "poc_project.yml"
    file.write_text(yaml.safe_dump(poc_project([f"site-{number}" for number in (1, 2, 3)], free_port())))
    return {"project_conf_path": str(file)}


def command_of(step: Step, world: World) -> str:
    """The command that is run for a step."""
    command = step.line
    for old, new in step.instead.items():
        if old not in command:
            raise ValueError(f"{old!r} is not in {step.line!r}")
        command = command.replace(old, new)
    command = f"{PREAMBLE}{command}" if step.at == "python" else command
    for one in PLACEHOLDERS:
        command = re.sub(one.pattern, lambda found, one=one: one.value(world), command)
    return command


def rules_of(steps: tuple[Step, ...]) -> Iterator[str]:
    """Every substitution of the walk in words: first those of all pages, then those of a line."""
    for one in PLACEHOLDERS:
        yield f"every page: {one.pattern}: {one.why}"
    for step in steps:
        for old, new in step.instead.items():
            yield f"{step.page}.md: {step.line.splitlines()[0]}: {old!r} becomes {new!r}: {step.why}"

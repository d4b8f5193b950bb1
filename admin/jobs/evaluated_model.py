"""The model that comes with a job: one that is evaluated goes into the app, its configuration into the config."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from admin.jobs.components import components
from admin.jobs.folder import CONFIGS, META, config_files, read_object, write_object
from fedaid.errors import require
from fedaid.models.saved_model import CONFIG, WEIGHTS
from fedaid.sealed_folder import require_whole, seal

SERVER, SITES_APP = "server", "app_sites"
LARGEST_SENT = 3_000_000  # bytes of a model in an app that goes to every site
SERVER_CONFIG = CONFIGS[0]
SETTING = "model_folder"  # an argument of a component that evaluates a model: the folder's name in the app


def add_evaluated_model(job: Path, model: Path | None) -> None:
    """Copy ``model`` into every app that evaluates one, and write its configuration into the server's config.

    Args:
        job: the folder of a job that is being packaged.
        model: a folder with ``model.safetensors`` and ``config.json``; None for a job that evaluates no model.

    Raises:
        InputError: the job evaluates a model and ``model`` is None, or the reverse, or the folder holds no model.
    """
    contents = {file: read_object(file) for file in config_files(job)}
    parts = [part for file, content in contents.items() for part in components(content, file)]
    names = {part.file: part.args[SETTING] for part in parts if SETTING in part.args}
    if names:
        remedy = "Add --model FOLDER."
        require(model is not None, "--model", "be given for this job", got=model, where=job.name, remedy=remedy)
    else:
        rule, remedy = "be left out for this job", "It evaluates no model."
        require(model is None, "--model", rule, got=model, where=job.name, remedy=remedy)
    if model is None:
        return
    configuration = saved_configuration(model)
    for file, name in names.items():
        folder = file.parent.parent / name
        folder.mkdir()
        for part in (WEIGHTS, CONFIG):
            shutil.copyfile(model / part, folder / part)
        seal(folder)
        for component in parts:
            if component.file == file and component.is_model:
                component.args.clear()
                component.args.update(configuration)
        write_object(file, contents[file])


def deploy_to_server_only(job: Path, sites: Sequence[str]) -> None:
    """Deploy the job's one app to the server, and a copy without the model to these sites.

    FLARE sends an app to a site as one message, and its http connections drop a message above 4 MB (2.9.0 raises the
    limit at the server only). The sites receive the model in the first task, as in every job.

    Args:
        job: with a model in its app.
        sites: names of all sites that take part; without names the app stays as it is, for every site.

    Raises:
        InputError: no site is named and the model is too large for one message.
    """
    meta = read_object(job / META)
    (app,) = meta["deploy_map"]
    folders = [path.parent for path in (job / app).glob(f"*/{WEIGHTS}")]
    if not sites:
        size = sum((folder / WEIGHTS).stat().st_size for folder in folders)
        rule, remedy = f"be at most {LARGEST_SENT / 1e6:.0f} MB", "Name all sites: --sites NAME NAME …"
        got = f"{size / 1e6:.1f} MB"
        require(size <= LARGEST_SENT, "model", rule, got=got, where=f"{job.name}, sent to sites", remedy=remedy)
        return
    without = shutil.ignore_patterns(SERVER_CONFIG, *(folder.name for folder in folders))
    shutil.copytree(job / app, job / SITES_APP, ignore=without)
    write_object(job / META, meta | {"deploy_map": {app: [SERVER], SITES_APP: list(sites)}})


def saved_configuration(model: Path, *, option: str = "--model") -> dict[str, Any]:
    """Return the constructor arguments of a saved model; ``option`` names it in messages."""
    for name in (WEIGHTS, CONFIG):
        remedy = "Give the folder of a run's best model, or the one that the demo printed."
        rule, held = f"be a folder with {name}", (model / name).is_file()
        require(held, option, rule, got=model.name, where=str(model), remedy=remedy)
    require_whole(model)
    content = read_object(model / CONFIG)
    configuration: dict[str, Any] = content.get("configuration") or {}
    ok, remedy = isinstance(configuration, dict) and bool(configuration), "Use the config.json beside the weights."
    require(ok, CONFIG, "have a configuration", got=f"only {sorted(content)}", where=str(model), remedy=remedy)
    return configuration

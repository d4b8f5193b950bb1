"""Put a model into a job that evaluates one: its files into the app, its configuration into the server's config."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from admin.jobs.components import components
from admin.jobs.folder import META, config_files, read_object, write_object
from fedaid.errors import require
from fedaid.models.saved_model import CONFIG, WEIGHTS

SERVER, SITES_APP = "server", "app_sites"
LARGEST_SENT = 3_000_000  # bytes of a model that may lie in an app for every site
SETTING = "model_folder"  # an argument of a component that takes a model: the folder's name in the app


def add_model(job: Path, model: Path | None) -> None:
    """Copy ``model`` into every app of the job that takes one, and let the server build a model of its configuration.

    Args:
        job: the folder of a job that is being made.
        model: with ``model.safetensors`` and ``config.json``; None for a job that takes none.

    Raises:
        InputError: the job takes a model and none is given, or the other way round, or the folder holds none.
    """
    contents = {file: read_object(file) for file in config_files(job)}
    parts = [part for file, content in contents.items() for part in components(content, file)]
    takers = {part.file: part.args[SETTING] for part in parts if SETTING in part.args}
    rule = "be given to a job that takes one, and to no other"
    got, remedy = "none" if model is None else "one", "Add --model FOLDER, or leave it out."
    require((model is not None) == bool(takers), "model", rule, got=got, where=job.name, remedy=remedy)
    if model is None:
        return
    configuration = configuration_of(model)
    for file, name in takers.items():
        folder = file.parent.parent / name
        folder.mkdir()
        for part in (WEIGHTS, CONFIG):
            shutil.copyfile(model / part, folder / part)
        for component in parts:
            if component.file == file and component.is_model:
                component.args.clear()
                component.args.update(configuration)
        write_object(file, contents[file])


def keep_to_server(job: Path, sites: Sequence[str]) -> None:
    """Let the job's one app go to the server, and a copy without the model to these sites.

    FLARE sends an app to a site as one message, and its http connections drop one above 4 MB (2.9.0 sets the limit at
    the server only); the model goes to the sites in the first task anyway, as every model does.

    Args:
        job: with a model in its app.
        sites: names of all sites that take part; none leaves the app as it is, for everybody.

    Raises:
        InputError: no site is named and the model is too large to be sent so.
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
    without = shutil.ignore_patterns(*(folder.name for folder in folders))
    shutil.copytree(job / app, job / SITES_APP, ignore=without)
    write_object(job / META, meta | {"deploy_map": {app: [SERVER], SITES_APP: list(sites)}})


def configuration_of(model: Path) -> dict[str, Any]:
    """Return the constructor arguments of a saved model."""
    for name in (WEIGHTS, CONFIG):
        remedy = "Give the folder of a run's best model, or one that make demo printed."
        require((model / name).is_file(), "model", f"hold {name}", got="none", where=str(model), remedy=remedy)
    configuration = read_object(model / CONFIG).get("configuration")
    remedy = "Take the config.json that lies beside the weights."
    ok = isinstance(configuration, dict) and bool(configuration)
    require(ok, CONFIG, "have a configuration", got="none", where=str(model), remedy=remedy)
    found: dict[str, Any] = configuration  # type: ignore[assignment]
    return found

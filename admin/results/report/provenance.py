"""The exact run: settings, hashes of the files, versions of the software."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping
from importlib import metadata
from typing import Any

from admin.jobs.folder import read_object
from admin.results.file_hash import sha256, tree_sha256
from admin.results.report.run_files import EVALUATION, RunFiles
from admin.results.run_results import STORE
from fedaid.models.saved_model import CONFIG, WEIGHTS
from fedaid.version import VERSION, VERSION_KEY

PACKAGES = ("nvflare", "torch", "monai", "transformers", "peft", "numpy", "scipy", "scikit-learn")


def hashes(files: RunFiles) -> dict[str, str]:
    """Return name → sha256 of the best model, its configuration, the results, the job's configs and its code."""
    app, store = files.folder / "app_server", files.folder / STORE
    named = {
        f"best model, {WEIGHTS}": files.model / WEIGHTS,
        f"best model, {CONFIG}": files.model / CONFIG,
        "results.json": store / "results.json",
        EVALUATION: files.evaluation_file,
        **{name: app / "config" / name for name in files.configs},
    }
    out = {name: sha256(file) for name, file in named.items() if file.is_file()}
    if (app / "custom").is_dir():
        out["code that the job shipped (all files)"] = tree_sha256(app / "custom")
    return out


def settings(files: RunFiles) -> dict[str, dict[str, str]]:
    """Return every setting of the job and of the model by its path in the config file."""
    sources: dict[str, Mapping[str, Any]] = dict(files.configs)
    if (files.model / CONFIG).is_file():
        sources["model as trained"] = read_object(files.model / CONFIG)
    return {name: dict(flat(content)) for name, content in sources.items()}


def flat(content: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield the leaves of a JSON value with their paths, such as ``workflows.fedaid.args.rho``.

    The name of a list entry is its ``id``, else the last part of its ``path``, else its number.
    """
    if isinstance(content, Mapping) and content:
        for key, value in content.items():
            yield from flat(value, f"{path}.{key}" if path else str(key))
    elif isinstance(content, list) and any(isinstance(part, (dict, list)) for part in content):
        for number, part in enumerate(content):
            yield from flat(part, f"{path}.{name_of(part, number)}")
    else:
        yield path, " ".join(map(str, content)) if isinstance(content, list) else str(content)


def name_of(part: Any, number: int) -> str:
    """Return the name of a list entry."""
    known = part if isinstance(part, Mapping) else {}
    return str(known.get("id") or str(known.get("path", "")).rpartition(".")[2] or number)


def run_version(files: RunFiles) -> str | None:
    """The version of this software that trained the best model; None if the model does not state it."""
    config = files.model / CONFIG
    return read_object(config).get(VERSION_KEY) if config.is_file() else None


def versions() -> dict[str, str]:
    """Versions on the machine that makes the page, which may differ from those of the run."""
    found = {name: version for name in PACKAGES if (version := installed(name))}
    return {"FedAID on NVIDIA FLARE": VERSION, "Python": platform.python_version(), **found}


def installed(package: str) -> str:
    """Return the version of a package, empty if it is not installed."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""

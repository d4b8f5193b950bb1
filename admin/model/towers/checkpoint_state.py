"""The tensors of a downloaded checkpoint, from safetensors if there are any, and never by unpickling code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from admin.model.towers.downloaded_folder import DownloadedFolder

INDEX = ".index.json"
LIBRARY_FILES = ("model.safetensors", f"model.safetensors{INDEX}", "pytorch_model.bin", f"pytorch_model.bin{INDEX}")
"""The files that transformers reads, the preferred one first."""
WRAPPERS = ("state_dict", "model")
"""Names under which training code puts the tensors beside other things."""


class CheckpointState(NamedTuple):
    """The tensors of a checkpoint by their name, and the files that they came from."""

    tensors: dict[str, Tensor]
    files: tuple[str, ...]


def read_state(folder: DownloadedFolder, names: Sequence[str] = LIBRARY_FILES) -> CheckpointState:
    """The tensors of the first of these files that the folder has.

    Args:
        folder: of the model.
        names: of files, the preferred one first; an index stands for the files that it lists.

    Raises:
        InputError: without such a file, for a damaged or incomplete one, one that needs unpickling of more than
            tensors, or values that are not finite.
    """
    found = next((name for name in names if (folder.path / name).is_file()), None)
    if found is None:
        remedy = "Download the weights, too."
        raise folder.refusal(f"have weights ({', '.join(names)})", got="no such file", remedy=remedy)
    files, tensors = _files(folder, found), dict[str, Tensor]()
    for file in files:
        tensors |= _tensors(folder, file)
    if found.endswith(INDEX):
        missing = sorted(folder.settings(found)["weight_map"].keys() - tensors.keys())
        folder.require(
            not missing, "have all tensors of its index", got=f"no {missing[:3]}", remedy="Download it again."
        )
    broken = next((name for name, tensor in tensors.items() if not tensor.isfinite().all()), None)
    remedy = "Download it again, or choose another model."
    folder.require(broken is None, "have finite weights", got=f"NaN or infinity in {broken}", remedy=remedy)
    return CheckpointState(tensors, tuple(file.name for file in files))


def _files(folder: DownloadedFolder, found: str) -> list[Path]:
    if not found.endswith(INDEX):
        return [folder.path / found]
    listed = folder.settings(found).get("weight_map")
    ok = isinstance(listed, dict) and all(isinstance(name, str) and Path(name).name == name for name in listed.values())
    got = f"weight_map {listed!r:.60} in {found}"
    folder.require(ok, "list files beside the index", got=got, remedy="Download it again.")
    names = sorted(set(listed.values()))  # type: ignore[union-attr]
    missing = [name for name in names if not (folder.path / name).is_file()]
    folder.require(not missing, "have all files of its index", got=f"no {missing[:3]}", remedy="Download them, too.")
    return [folder.path / name for name in names]


def _tensors(folder: DownloadedFolder, file: Path) -> dict[str, Tensor]:
    if file.suffix == ".safetensors":
        try:
            return dict(load_file(file))
        except SafetensorError as error:
            got = f"a damaged {file.name} ({error})"
            raise folder.refusal("have whole weights", got=got, remedy="Download it again.") from error
    try:
        loaded = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises what the damage leads to
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        got = f"{file.name} that torch.load(weights_only=True) refuses ({reason})"
        remedy = "Download the model in safetensors, or its state_dict only. Code in a pickled file is not run."
        raise folder.refusal("have weights that load without running code", got=got, remedy=remedy) from error
    return _bare(folder, loaded, file.name)


def _bare(folder: DownloadedFolder, loaded: Any, name: str) -> dict[str, Tensor]:
    """The tensors without what training code put around them, and without the prefix of parallel training."""
    for wrapper in WRAPPERS:
        loaded = loaded[wrapper] if isinstance(loaded, Mapping) and wrapper in loaded else loaded
    ok = isinstance(loaded, Mapping) and bool(loaded)
    named = loaded.items() if ok else ()
    odd = [key for key, value in named if not (isinstance(key, str) and isinstance(value, Tensor))]
    odd = odd if ok else [type(loaded).__name__]
    remedy = "Save its state_dict only: torch.save(model.state_dict(), FILE)."
    folder.require(ok and not odd, "hold tensors by their name", got=f"{odd[:3]} in {name}", remedy=remedy)
    prefix = "module." if all(key.startswith("module.") for key in loaded) else ""
    return {key.removeprefix(prefix): value for key, value in loaded.items()}

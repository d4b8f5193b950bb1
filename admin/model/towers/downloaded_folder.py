"""A folder as it was downloaded from a model hub. No code in it is run, and no file outside it is read."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

from fedaid.errors import InputError, require

CONFIG, OPEN_CLIP, PROCESSOR = "config.json", "open_clip_config.json", "preprocessor_config.json"
TOKENIZER_SETTINGS, BOTH_PROCESSORS = "tokenizer_config.json", "processor_config.json"
SETTINGS = (CONFIG, OPEN_CLIP, PROCESSOR, BOTH_PROCESSORS, TOKENIZER_SETTINGS)
LICENCE = re.compile(r"(LICEN[CS]E|COPYING|NOTICE)", re.IGNORECASE)
LICENCE_FIELD = re.compile(r"^licen[cs]e(?:_name)?:\s*[\"']?([\w.+-]+)", re.MULTILINE)


class DownloadedFolder(NamedTuple):
    """A folder that was checked by :func:`opened`."""

    path: Path

    def settings(self, name: str) -> dict[str, Any]:
        """The content of a JSON file; empty if there is no such file.

        Raises:
            InputError: if it is not a JSON object.
        """
        file = self.path / name
        if not file.is_file():
            return {}
        try:
            found = json.loads(file.read_text(encoding="utf-8"))
        except ValueError as error:
            raise self.refusal("be JSON", got=f"a damaged {name}", remedy="Download it again.", name=name) from error
        if not isinstance(found, dict):
            raise self.refusal("be a JSON object", got=type(found).__name__, remedy="Download it again.", name=name)
        return found

    def processor(self) -> dict[str, Any]:
        """The settings of the image processor; empty if the folder has none.

        Raises:
            InputError: if a file gives something else than an object.
        """
        given = self.settings(PROCESSOR) or self.settings(BOTH_PROCESSORS).get("image_processor", {})
        rule, remedy = "have an object as image_processor", "Download it again."
        self.require(isinstance(given, dict), rule, got=type(given).__name__, remedy=remedy, name=BOTH_PROCESSORS)
        return dict(given)

    @property
    def licence_files(self) -> tuple[Path, ...]:
        """Files that hold a licence or a notice."""
        return tuple(sorted(file for file in self.path.iterdir() if file.is_file() and LICENCE.match(file.name)))

    @property
    def licence(self) -> str:
        """The licence that README.md names; empty if it names none."""
        readme = self.path / "README.md"
        text = readme.read_text(encoding="utf-8", errors="replace") if readme.is_file() else ""
        head = text.split("\n---", 1)[0] if text.startswith("---") else ""
        return ", ".join(LICENCE_FIELD.findall(head))

    def refusal(self, rule: str, *, got: object, remedy: str, name: str = "FOLDER") -> InputError:
        """An error about this folder."""
        return InputError(name, rule, got=got, where=str(self.path), remedy=remedy)

    def require(self, condition: bool, rule: str, *, got: object, remedy: str, name: str = "FOLDER") -> None:
        """An error about this folder unless ``condition`` holds."""
        require(condition, name, rule, got=got, where=str(self.path), remedy=remedy)


def opened(path: Path) -> DownloadedFolder:
    """The folder, if nothing in it leads out of it or asks for code.

    Raises:
        InputError: for a symbolic link out of the folder, ``auto_map`` in one of its settings, or adapters.
    """
    folder, root = DownloadedFolder(path), path.resolve()
    out = sorted(file.name for file in path.rglob("*") if not file.resolve().is_relative_to(root))
    remedy = "Copy what the links point to: cp -rL FOLDER COPY."
    folder.require(not out, "have no symbolic link to another folder", got=out[:3], remedy=remedy)
    for name in SETTINGS:
        rule, remedy = (
            "need no code of its own",
            "Code from a model's folder is not run: choose a model of the library.",
        )
        folder.require("auto_map" not in folder.settings(name), rule, got=f"auto_map in {name}", remedy=remedy)
    rule, remedy = "be a model without adapters", "Merge them into its weights, with peft, and save it anew."
    adapted = (path / "adapter_config.json").exists()
    folder.require(not adapted, rule, got="adapter_config.json", remedy=remedy)
    return folder

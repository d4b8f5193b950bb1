"""The command line of a verb: one convention for errors, files and folders, and ``--format``."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import NoReturn

from fedaid.errors import InputError, closest


class UsageError(InputError):
    """The command line cannot be understood."""

    def __init__(self, message: str) -> None:
        ValueError.__init__(self, message)


class VerbParser(argparse.ArgumentParser):
    """Raises :class:`UsageError` where argparse would end the process with 2, which means "cannot connect" here."""

    def error(self, message: str) -> NoReturn:
        """Raise the error; argparse calls this."""
        raise UsageError(f"{message.removeprefix('argument ')}. See {self.prog} --help")

    def parse_known_args(self, args=None, namespace=None):  # type: ignore[no-untyped-def]
        """Refuse an unknown option here, where its neighbours are known."""
        options, unknown = super().parse_known_args(args, namespace)
        if unknown:
            known = [option for action in self._actions for option in action.option_strings]
            self.error(f"unknown argument {unknown[0]}. {closest(unknown[0], known)}")
        return options, unknown


def verb_parser(name: str, *, description: str) -> VerbParser:
    """Return the parser of a verb, with the options that all verbs have."""
    parser = VerbParser(
        prog=f"python -m admin {name}",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add_format(parser)
    return parser


def add_format(parser: argparse.ArgumentParser) -> None:
    """Add ``--format``."""
    shown = "text, or json: one envelope on standard output (default: text)"
    parser.add_argument("--format", choices=("text", "json"), default="text", help=shown)


def asks_for_json(words: Sequence[str]) -> bool:
    """Whether a command line asks for JSON, even one with an error in it."""
    return "--format=json" in words or ("--format", "json") in pairwise(words)


def existing_folder(text: str) -> Path:
    """Return a folder that exists and can be read; for ``type=`` of an argument."""
    return _existing(Path(text), folder=True)


def existing_file(text: str) -> Path:
    """Return a file that exists and can be read; for ``type=`` of an argument."""
    return _existing(Path(text), folder=False)


def existing_path(text: str) -> Path:
    """Return a file or folder that exists and can be read; for ``type=`` of an argument."""
    return _existing(Path(text), folder=None)


def _existing(path: Path, *, folder: bool | None) -> Path:
    """Return the path, if it is what the argument needs."""
    kind = {True: "folder", False: "file", None: "file or folder"}[folder]
    if not path.exists():
        raise argparse.ArgumentTypeError(f"{kind} not found: {path}")
    if folder is not None and path.is_dir() is not folder:
        raise argparse.ArgumentTypeError(f"must be a {kind}, got a {'file' if folder else 'folder'}: {path}")
    if not os.access(path, os.R_OK | (os.X_OK if path.is_dir() else 0)):
        raise argparse.ArgumentTypeError(f"{kind} cannot be read: {path}. Check its permissions")
    return path

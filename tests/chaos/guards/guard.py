"""Takes one check of the product out, in a copy of this process, and runs the tests that must then fail."""

from __future__ import annotations
import __future__

import importlib
import inspect
import os
import signal
import sys
import textwrap
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import pytest

GREEN, RED = 0, 1  # exit codes of pytest
LONGEST = 900  # seconds that the tests of one guard may take


@dataclass(frozen=True)
class Guard:
    """One check of the product.

    Attributes:
        where: ``module:function`` or ``module:Class.method`` below ``fedaid``, or with its whole name.
        old: part of the function's source, which occurs once.
        new: the source without the check.
        tests: a file below ``tests``, or one test of it, which must fail.
    """

    where: str
    old: str
    new: str
    tests: str

    @property
    def name(self) -> str:
        """For a message."""
        return f"{self.where}: {self.old}"

    def code_without(self) -> CodeType:
        """The code of the function without the check.

        Raises:
            ValueError: if the source has changed, so that the part does not occur once.
        """
        module, function = found(self.where)
        source = textwrap.dedent(inspect.getsource(function))
        if source.count(self.old) != 1:
            raise ValueError(f"must occur once in {self.where}: {self.old}")
        names: dict[str, Any] = {}
        flags = __future__.annotations.compiler_flag
        text, name = source.replace(self.old, self.new), function.__name__
        if "super()" in text:  # needs a class around it
            text = f"def made(__class__):\n{textwrap.indent(text, '    ')}\n    return {name}\n{name} = made(None)\n"
        exec(compile(text, str(module.__file__), "exec", flags=flags), dict(vars(module)), names)  # noqa: S102
        return plain(names[name]).__code__

    def remove(self) -> None:
        """Replaces the code of the function in this process."""
        found(self.where)[1].__code__ = self.code_without()


def found(where: str) -> tuple[Any, FunctionType]:
    """A module and a function of it, by name."""
    name, _, path = where.partition(":")
    module = importlib.import_module(name if name.startswith("admin") else f"fedaid.{name}")
    at: Any = module
    for part in path.split("."):
        at = vars(at)[part]
    return module, plain(at)


def plain(member: Any) -> FunctionType:
    """The function behind a method or property."""
    function: FunctionType = member.fget if isinstance(member, property) else getattr(member, "__func__", member)
    return function


def exit_code(tests: Sequence[str], guard: Guard | None) -> int:
    """Of pytest in a copy of this process without the guard; −1 if it cannot be taken out or takes too long."""
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        os._exit(run(tests, guard))
    deadline = time.monotonic() + LONGEST
    while time.monotonic() < deadline:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.1)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return -1


def run(tests: Sequence[str], guard: Guard | None) -> int:
    """Removes the guard and runs the tests; what they print is thrown away."""
    try:
        nothing = os.open(os.devnull, os.O_WRONLY)
        for stream in (1, 2):
            os.dup2(nothing, stream)
        if guard:
            guard.remove()
        root = Path(__file__).parents[2]
        options = ["-q", "-x", "-p", "no:cacheprovider", "-p", "no:randomly", f"--rootdir={root.parent}"]
        return int(pytest.main([*options, *(str(root / test) for test in tests)]))
    except BaseException:
        return 255

"""Where the walk happens: a fresh checkout, a home, the kits of one federation on loopback, and a shell."""

from __future__ import annotations

import json
import os
import pty
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil
import yaml

from admin.federation.federation import free_port
from admin.federation.kit_process import MARK, end, family
from tests.walk.page_line import ROOT
from tests.walk.step import Outcome, Step, wrong_with

SITES = ("hospital-lake", "hospital-north", "hospital-south")
SERVER, LEAD, ADMIN = "fl-server", "lead@consortium.org", "admin@consortium.org"
JOB_ID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
REGISTERED = "Successfully registered client"
CONSOLE = "console "  # with the name of the person behind it
SECONDS = 1800.0  # of one command
NEEDED = ("admin", "custom", "policy", "jobs", "requirements.txt", "constraints.txt", "pyproject.toml")


class World:
    """The folders of the walk, and what stands for the placeholders of the pages.

    Args:
        folder: absent or empty; everything is below it.
        data: site → data folder.
    """

    def __init__(self, folder: Path, data: Mapping[str, Path]) -> None:
        self.folder, self.port, self.mark = folder, free_port(), uuid4().hex
        self.checkout, self.home, self.srv = folder / "checkout", folder / "home", folder / "srv"
        self.kits = self.checkout / "build" / "provision" / "fedaid" / "prod_00"
        self.values: dict[str, str] = {}
        self.outcomes: list[Outcome] = []
        self.answers = 0
        for name in NEEDED:
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
            (self.checkout / name).parent.mkdir(parents=True, exist_ok=True)
            copy(ROOT / name, self.checkout / name)
        self.home.mkdir()
        (folder / "data").mkdir()
        for number, (site, root) in enumerate(data.items()):  # the recipe's page has a, b, c, FLARE's POC site-1, ...
            for name in (site, "abc"[number], f"site-{number + 1}"):
                (folder / "data" / name).symlink_to(root)
        project = yaml.safe_load((ROOT / "admin" / "project.yml").read_text())
        for person in project["participants"]:
            if person["type"] == "server":
                person |= {"fed_learn_port": self.port, "admin_port": self.port}
        (self.checkout / "consortium.yml").write_text(yaml.safe_dump(project, sort_keys=False))

    def kit(self, name: str) -> Path:
        """The startup kit of a participant."""
        return self.kits / name

    def results(self, job_id: str) -> dict[str, Any]:
        """The ``results.json`` in the download of a job."""
        return self.results_in(self.checkout / "build" / "results" / job_id / "workspace")

    def results_in(self, run_folder: Path) -> dict[str, Any]:
        """The ``results.json`` of a run folder."""
        found: dict[str, Any] = json.loads((run_folder / "app_server" / "fedaid" / "results.json").read_text())
        return found

    def said_paths(self) -> set[Path]:
        """The folders that the last answer names."""
        return {Path(word) for word in self.values["SAID"].split() if word.startswith("/") and Path(word).is_dir()}

    def job_in(self, said: str) -> str:
        """The first job id in an answer."""
        found = JOB_ID.search(said)
        assert found, said
        return found[0]

    def times_registered(self) -> dict[str, int]:
        """How often each site was connected."""
        logs = {site: self.kit(site) / "log.txt" for site in SITES}
        return {site: log.read_text(errors="replace").count(REGISTERED) for site, log in logs.items() if log.exists()}

    def places(self, at: str) -> list[Path]:
        """The folders in which a step is typed: one, or that of every site; a console is started in its kit."""
        if at == "sites":
            return [self.kit(site) for site in SITES]
        if at.startswith(CONSOLE):
            return [self.kit(at.removeprefix(CONSOLE))]
        named = {"checkout": self.checkout, "server": self.kit(SERVER), "lead": self.kit(LEAD), "kits": self.kits}
        named |= {"project": ROOT, "folder": self.folder, "python": self.checkout} | {
            site: self.kit(site) for site in SITES
        }
        return [named[at] if at in named else self.folder / at]

    def environment(self) -> dict[str, str]:
        """Of the shell: its own home, this environment's programs first, and the mark of what it starts."""
        kept = {name: os.environ[name] for name in ("LANG", "TMPDIR", "LD_LIBRARY_PATH") if name in os.environ}
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
        own = {"PATH": path, "HOME": str(self.home), "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", MARK: self.mark}
        return kept | own

    def shell(self, command: str, *, at: Path, answer: str = "", terminal: bool = False) -> tuple[int, str]:
        """The exit code and the answer of a command in bash. What it leaves in the background goes on.

        Args:
            command: as it is typed.
            at: the folder in which it is typed.
            answer: what is typed at its questions.
            terminal: whether the answer comes from a terminal; some commands ask nobody else.
        """
        self.answers += 1
        file = self.folder / f"answer-{self.answers:03d}.txt"  # what runs in the background goes on writing to its own
        ours, theirs = pty.openpty() if terminal else (None, None)
        if ours is not None:
            os.write(ours, answer.encode())
        with file.open("wb") as out:
            done = subprocess.Popen(
                ["bash", "-c", command],
                cwd=at,
                env=self.environment(),
                stdin=subprocess.PIPE if theirs is None else theirs,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                done.communicate(None if terminal else answer.encode(), timeout=SECONDS)
            except subprocess.TimeoutExpired:
                done.kill()
                done.wait()
        for end_of_terminal in (ours, theirs):
            if end_of_terminal is not None:
                os.close(end_of_terminal)
        return done.returncode, file.read_text(encoding="utf-8", errors="replace")

    def take(self, step: Step, command: str) -> Outcome:
        """Take a step in each of its places, and remember what it did."""
        code, output, wrong, began = step.code, "", (), time.monotonic()
        for place in self.places(step.at):
            shell, answer = typed(command.replace("{here}", place.name), step)
            code, said = self.shell(shell, at=place, answer=answer, terminal=shell == command and bool(answer))
            output, wrong = output + said, wrong + wrong_with(step, code, said)
        if step.keep and (found := JOB_ID.search(output)):
            self.values[step.keep] = found[0]
        self.values["SAID"] = output
        if step.then and not wrong:
            try:
                step.then(self)
            except AssertionError as error:
                wrong = (f"afterwards: {str(error)[:2000] or 'an assertion failed'}",)
        self.outcomes.append(Outcome(step, command, code, output, wrong, time.monotonic() - began))
        return self.outcomes[-1]

    def close(self) -> None:
        """End every process of the walk, by its id."""
        end(family([], mark=self.mark))

    def processes(self, kit: str = "") -> list[psutil.Process]:
        """The living processes of a participant's kit, or of all kits."""
        return [one for one in family([], mark=self.mark) if str(self.kit(kit)) in " ".join(command_line(one))]

    def wait_for(self, condition: Callable[[], bool], what: str, *, seconds: float = 600.0) -> None:
        """Return when the condition holds; AssertionError with ``what`` did not happen in time."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
            time.sleep(0.5)


def command_line(process: psutil.Process) -> list[str]:
    """The words of a process; empty if it has just ended."""
    try:
        return list(process.cmdline())
    except psutil.Error:
        return []


def typed(command: str, step: Step) -> tuple[str, str]:
    """What the shell gets, and what is typed then: at a console, or in Python, the command itself."""
    if step.at == "python":
        return "python -", command
    if not step.at.startswith(CONSOLE):
        return command, step.answer
    return "bash startup/fl_admin.sh", f"{step.at.removeprefix(CONSOLE)}\n{command}\n{step.answer}bye\n"

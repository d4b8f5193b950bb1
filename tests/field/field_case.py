"""A case: a hospital's export as it really comes, and what ``prepare`` and the doctor must make of it.

A case is right if it has no fault. A fault is loud if the command failed, or if a name in ``named_by`` is in the counts
of ``prepare``, in the quarantine or among the findings of the doctor. Any other fault is silent.
"""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from admin.__main__ import main
from admin.site.doctor.examination import checks_fired
from admin.site.prepare.imaged_study import key
from fedaid.data.pseudonym import Pseudonyms, site_key
from fedaid.data.table import Row, read_table
from tests.field.export import study_uid


@dataclass(frozen=True)
class Run:
    """What ``prepare`` and the doctor gave.

    Attributes:
        site: the data folder.
        code: exit code of ``prepare``.
        result: its result, as ``--format json`` prints it; empty if it printed none.
        messages: its standard error.
        checks: doctor's check → number of studies, of the checks that fired; empty without a manifest.
    """

    site: Path
    code: int
    result: Mapping[str, Any]
    messages: str
    checks: Mapping[str, int]

    @cached_property
    def rows(self) -> dict[str, Row]:
        """Pseudonym of a study → its line of the manifest."""
        manifest = self.site / "manifest.csv"
        return {row.cell("study_id"): row for row in read_table(manifest).rows} if manifest.exists() else {}

    @cached_property
    def _names(self) -> Pseudonyms:
        return Pseudonyms(site_key(self.site / "private" / "key"))

    def study(self, number: int) -> Row | None:
        """The line of the manifest of the film with this number, or None."""
        return self.rows.get(key("study", study_uid(number), self._names))

    def text(self, number: int) -> str:
        """The report of a film, empty if the study is not in the manifest."""
        row = self.study(number)
        return (self.site / row.cell("report_path")).read_text(encoding="utf-8") if row else ""

    def picture(self, number: int) -> NDArray[np.float32]:
        """The decoded film in [0, 1], (S, S)."""
        row = self.study(number)
        assert row is not None, f"film {number} is not in the manifest"
        pixels = np.load(self.site / row.cell("image"), mmap_mode="r", allow_pickle=False)
        return np.asarray(pixels[int(row.cell("image_row"))], np.float32)

    @property
    def named(self) -> set[str]:
        """Everything that was said by a name: keys of counts that are not 0, codes of the quarantine, checks."""
        counts = {name for name, value in self.result.items() if value}
        nested = [value for value in self.result.values() if isinstance(value, dict)]
        codes = {code for value in nested for code, count in value.items() if count}
        return counts | codes | set(self.checks)


@dataclass(frozen=True)
class FieldCase:
    """One case.

    Attributes:
        name: its name.
        write: writes ``images`` and the reports into a folder.
        faults: what is wrong with a run, one phrase each; none if the answer is right.
        reports: name of the table or folder of reports.
        arguments: further arguments of ``prepare``.
        named_by: names of counts, codes or checks, one of which makes a fault loud.
    """

    name: str
    write: Callable[[Path], None]
    faults: Callable[[Run], Sequence[str]]
    reports: str = "reports.csv"
    arguments: tuple[str, ...] = ()
    named_by: frozenset[str] = field(default_factory=frozenset)

    def run(self, folder: Path) -> Run:
        """Write the case into a folder, then run ``prepare`` and the doctor."""
        self.write(folder)
        return prepared(folder, reports=self.reports, arguments=self.arguments)

    def is_loud(self, run: Run) -> bool:
        """Whether a fault of this run would be noticed by the person who ran it."""
        return run.code != 0 or bool(run.named & self.named_by)


def prepared(folder: Path, *, reports: str = "reports.csv", arguments: Sequence[str] = ()) -> Run:
    """Run ``prepare`` on ``images`` and the reports of a folder into ``site``, and the doctor on the result."""
    site = folder / "site"
    words = ["--images", str(folder / "images"), "--reports", str(folder / reports), "--out", str(site)]
    printed, messages = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(messages):
        code = main(["prepare", *words, "--workers", "1", "--format", "json", *arguments])
    result = json.loads(printed.getvalue() or "{}").get("data", {})
    checks = checks_fired(site) if (site / "manifest.csv").exists() else {}
    return Run(site, code, result, messages.getvalue(), checks)

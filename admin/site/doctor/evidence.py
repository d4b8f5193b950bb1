"""The evidence: facts of each study and of the site's files, without pixels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from admin.site.doctor.picture_facts import PictureFacts
from fedaid.data.header.facts import Header
from fedaid.data.header.views import LATERAL_VIEWS
from fedaid.data.letters.letters import Letters
from fedaid.data.report.sections import Report

NORMAL = "No Finding"


@dataclass(frozen=True)
class Case:
    """One row of the manifest with its facts. Only private output may show more than its line.

    Attributes:
        line: line of the manifest, counted from 1.
        name: identifier of the study.
        patient: identifier of the patient.
        cells: column → cell of the manifest's row.
        split: the stated split, even an unknown one; without one, the split of the patient's hash.
        labels: labels of the row.
        header: facts of the DICOM header; None without a readable header.
        size: bytes of the image file.
        picture: measurements of the picture; None if there is a fault.
        image_fault: code of the reason why the image cannot be used, or None.
        letters: letters seen in the full picture; None if nobody looked.
        report: text of the file or cell, unchanged; None if it cannot be read.
        report_fault: code of the reason why the report cannot be used, or None.
        sections: the report divided into sections; None without a text.
    """

    line: int
    name: str = field(repr=False)
    patient: str = field(repr=False)
    cells: Mapping[str, str] = field(repr=False)
    split: str
    labels: tuple[str, ...]
    header: Header | None = None
    size: int = 0
    picture: PictureFacts | None = None
    image_fault: str | None = None
    letters: Letters | None = None
    report: str | None = field(default=None, repr=False)
    report_fault: str | None = None
    sections: Report | None = field(default=None, repr=False)

    @property
    def image(self) -> str:
        """Path of the image in the manifest."""
        return self.cells.get("image", "")

    @property
    def view(self) -> str:
        """View from the manifest, otherwise from the header; empty if it is not stated or contradicted."""
        return self.cells.get("view", "").upper() or (self.header.view if self.header else "")

    @property
    def frontal(self) -> bool:
        """Whether the image is not declared as a lateral view."""
        return self.view not in LATERAL_VIEWS

    @property
    def text(self) -> str:
        """The part of the report that training uses."""
        return self.sections.text if self.sections else ""

    @property
    def normal(self) -> bool:
        """Whether :data:`NORMAL` is the only label."""
        return self.labels == (NORMAL,)

    @property
    def usable(self) -> bool:
        """Whether image and report can be used."""
        return self.image_fault is None and self.report_fault is None


@dataclass(frozen=True)
class Evidence:
    """A site as the doctor sees it.

    Attributes:
        columns: column names of the manifest.
        cases: one case for each row.
        prepared: whether ``python -m admin prepare`` made the site.
        refusal: reason why training refuses the manifest, or None.
        malformed: reason why the manifest is not a valid table, or None. `cases` then has the readable rows.
        read_as: encoding and separator of the manifest, if they are not UTF-8 and commas.
        stray_images: image files that no row names.
        stray_reports: report files that no row names.
        quarantined: code → number of files that ``python -m admin prepare`` left out.
        counts: name → what ``python -m admin prepare`` counted in the export.
        grey_levels: number of pixels of all pictures in equal bins of [0, 1].
        free_bytes: free bytes on the site's disk.
    """

    columns: tuple[str, ...]
    cases: tuple[Case, ...] = field(repr=False)
    prepared: bool = False
    refusal: str | None = None
    malformed: str | None = None
    read_as: str = ""
    stray_images: tuple[str, ...] = field(default=(), repr=False)
    stray_reports: tuple[str, ...] = field(default=(), repr=False)
    quarantined: Mapping[str, int] = field(default_factory=dict)
    counts: Mapping[str, Any] = field(default_factory=dict)
    grey_levels: tuple[int, ...] = ()
    free_bytes: int = 1 << 40

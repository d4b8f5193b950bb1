"""The evidence: facts of each study and of the site's files, without pixels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from admin.site.doctor.picture_facts import PictureFacts
from fedaid.data.header.facts import Header
from fedaid.data.letters.letters import Letters
from fedaid.data.report.sections import Report

LATERAL_VIEWS = frozenset(("LL", "RL", "L", "LAT", "LATERAL", "LEFT LATERAL", "RIGHT LATERAL", "XTABLE LATERAL"))
NORMAL = "No Finding"


@dataclass(frozen=True)
class Case:
    """One row of the manifest with its facts. Only private output may show more of it than its line.

    Attributes:
        line: of the manifest, counted from 1.
        name: identifier of the study.
        patient: identifier of the patient.
        cells: the row as the manifest has it, by column.
        split: stated split, even if unknown; otherwise by the patient's hash.
        labels: as given.
        header: facts of its DICOM header, or None without a readable header.
        size: bytes of its image file.
        picture: what was measured of its picture, or None; then `image_fault` says why.
        letters: what was seen of letters in its full image, or None where nobody looked.
        report: its text as the file or cell has it, or None; then `report_fault` says why.
        sections: of the report.
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
        """The path of its image as the manifest has it."""
        return self.cells.get("image", "")

    @property
    def view(self) -> str:
        """Its view from the manifest, otherwise from the header; empty if not stated."""
        return self.cells.get("view", "").upper() or (self.header.view_position or "" if self.header else "")

    @property
    def frontal(self) -> bool:
        """Whether it is not declared as a lateral view."""
        return self.view not in LATERAL_VIEWS

    @property
    def text(self) -> str:
        """The part of its report that training uses."""
        return self.sections.text if self.sections else ""

    @property
    def normal(self) -> bool:
        """Whether its only label is :data:`NORMAL`."""
        return self.labels == (NORMAL,)

    @property
    def usable(self) -> bool:
        """Whether it has an image and a report that can be used."""
        return self.image_fault is None and self.report_fault is None


@dataclass(frozen=True)
class Evidence:
    """A site as the doctor sees it.

    Attributes:
        columns: of the manifest.
        cases: one for each row.
        prepared: whether ``python -m admin prepare`` made it.
        refusal: why training would refuse the manifest as a whole, or None.
        malformed: why the manifest is not a valid table, or None. `cases` then has the readable rows.
        read_as: the manifest's encoding and separator, if they are not UTF-8 and commas.
        stray_images: files beside the images that no row names.
        stray_reports: files beside the reports that no row names.
        quarantined: code → number, as ``python -m admin prepare`` counted what it left out.
        grey_levels: number of pixels of all pictures in equal bins of [0, 1].
        free_bytes: left on the disk of the site.
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
    grey_levels: tuple[int, ...] = ()
    free_bytes: int = 1 << 40

"""What lies beside films in an export: reports, doses, viewers, archives and other examinations."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from tests.field.export import accession, film, report, save, study_uid, write_films, write_reports, write_table
from tests.field.field_case import FieldCase, Run

STORAGE = "1.2.840.10008.5.1.4.1.1."
STUDIES = range(1, 9)
NO_PICTURE = dict.fromkeys(
    ("PixelData", "Rows", "Columns", "PhotometricInterpretation", "SamplesPerPixel", "BitsAllocated", "BitsStored",
     "HighBit", "PixelRepresentation", "ViewPosition", "BodyPartExamined")
)  # fmt: skip


def companion(number: int, sop_class: str, modality: str | None, **tags: object) -> Dataset:
    """An object of a film's study."""
    uid = f"{study_uid(number)}.{sop_class}"
    return film(number, SOPClassUID=STORAGE + sop_class, Modality=modality, SOPInstanceUID=uid, **tags)


def lost(run: Run, studies: Sequence[int] = STUDIES) -> list[str]:
    return [f"film {number} is lost" for number in studies if f"Pattern {number}." not in run.text(number)]


def counted(run: Run, name: str, expected: Mapping[str, int] | int) -> list[str]:
    given = run.result[name]
    return [] if given == expected else [f"{name} is {given}"]


def all_reports(folder: Path) -> None:
    write_reports(folder, [(number, report(number)) for number in STUDIES])


def write_disc(folder: Path) -> None:
    """Films with a dose report and a presentation state each, and on top the index, the notes and the viewer."""
    for number in STUDIES:
        place = folder / "images" / f"PAT{number:03d}" / "STUDY1"
        save(film(number), place / "A" / "IMG00001")
        save(companion(number, "88.67", "SR", **NO_PICTURE), place / "B" / "IMG00001")
        save(companion(number, "11.1", "PR", **NO_PICTURE), place / "C" / "IMG00001")
    index = Dataset()
    index.file_meta = FileMetaDataset()
    index.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    index.file_meta.MediaStorageSOPClassUID, index.file_meta.MediaStorageSOPInstanceUID = (
        "1.2.840.10008.1.3.10",
        "2.25.7",
    )
    index.FileSetID, index.DirectoryRecordSequence = "DISC", []
    index.save_as(folder / "images" / "DICOMDIR", implicit_vr=False, little_endian=True)
    (folder / "images" / "README.TXT").write_text("Start the viewer to see the films.\n")
    (folder / "images" / "autorun.inf").write_text("[autorun]\nopen=start.exe\n")
    all_reports(folder)


def disc_faults(run: Run) -> Sequence[str]:
    return [
        *lost(run), *counted(run, "not_radiographs", {"PR": 8, "SR": 8}), *counted(run, "quarantined", {}),
        *counted(run, "other_files", {"DICOMDIR": 1, "system file": 1, "text": 1}),
    ]  # fmt: skip


def write_viewer(folder: Path) -> None:
    """Films beside the folder of a viewer and what Windows and macOS leave behind."""
    write_films(folder, STUDIES)
    viewer = folder / "images" / "VIEWER"
    viewer.mkdir()
    for name, content in {
        **{"start.exe": b"MZ\x90\0" + bytes(99), "lib.dll": b"MZ" + bytes(99), "help.html": b"<html></html>"},
        **{
            "manual.pdf": b"%PDF-1.5\n",
            "Thumbs.db": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
            ".DS_Store": b"\0\0\0\x01Bud1",
        },
        **{"._1.dcm": b"\0\x05\x16\x07\0\x02\0\0", "desktop.ini": b"[x]", "settings.json": b"{}", "LICENCE": b"Free."},
    }.items():
        (viewer / name).write_bytes(content)
    all_reports(folder)


def viewer_faults(run: Run) -> Sequence[str]:
    kinds = {"document": 2, "program": 2, "system file": 4, "text": 2}
    return [*lost(run), *counted(run, "other_files", kinds), *counted(run, "quarantined", {})]


def write_packed(folder: Path) -> None:
    """The first studies are unpacked, the others lie in an archive each."""
    write_films(folder, STUDIES)
    for number in STUDIES[3:]:
        path = folder / "images" / f"{number}.dcm"
        with zipfile.ZipFile(folder / "images" / f"study_{number}.zip", "w") as archive:
            archive.write(path, f"IMAGES/{number}")
        path.unlink()
    all_reports(folder)


def packed_faults(run: Run) -> Sequence[str]:
    said = run.messages.count("unpack") == 1 and "5 archives" in run.messages
    return [
        *([] if run.code else ["a dataset without most of the studies"]),
        *([] if said else ["archives are not named once"]),
        *counted(run, "other_files", {"archive": 5}), *counted(run, "quarantined", {"pair-no-image": 5}),
    ]  # fmt: skip


def write_examinations(folder: Path) -> None:
    """Twice as many studies of other modalities as films, each with its own report."""
    others = (
        ("2", "CT"),
        ("4", "MR"),
        ("6.1", "US"),
        ("20", "NM"),
        ("128", "PT"),
        ("1.2", "MG"),
        ("2", None),
        ("1", "CT"),
    )
    write_films(folder, STUDIES)
    for number, (sop_class, modality) in enumerate(others, start=11):
        save(companion(number, sop_class, modality, ViewPosition=None), folder / "images" / f"{number}.dcm")
    for number, (sop_class, modality) in enumerate((("66.4", "SEG"), ("481.2", "RTDOSE"), ("7", "CT")), start=11):
        save(companion(number, sop_class, modality), folder / "images" / f"more {number}.dcm")
    numbers = [*STUDIES, *range(11, 19)]
    write_table(folder / "reports.csv", ["accession", "report"], [(accession(n), report(n)) for n in numbers])


def examination_faults(run: Run) -> Sequence[str]:
    kinds = {"CT": 4, "MG": 1, "MR": 1, "NM": 1, "PT": 1, "RTDOSE": 1, "SEG": 1, "US": 1}
    became = [f"object {number} is a study" for number in range(11, 19) if run.study(number)]
    return [
        *lost(run), *became, *counted(run, "not_radiographs", kinds), *counted(run, "quarantined", {}),
        *counted(run, "reports_of_other_examinations", 8),
    ]  # fmt: skip


def write_unstated_modality(folder: Path) -> None:
    """Films whose modality is missing, misspelt or that of a secondary capture."""
    classes = ("1", "1.1", "1", "7", "7", "1.1.1", "1", "1.1")
    modalities = (None, None, "RG", "OT", "CR", "DX", "RX", "XR")
    for number, sop_class, modality in zip(STUDIES, classes, modalities, strict=True):
        save(companion(number, sop_class, modality), folder / "images" / f"{number}.dcm")
    all_reports(folder)


def unstated_faults(run: Run) -> Sequence[str]:
    return [*lost(run), *counted(run, "not_radiographs", {})]


def write_broken(folder: Path) -> None:
    """Seven films; the eighth is a message of a server under the name of a film."""
    write_films(folder, STUDIES)
    (folder / "images" / "8.dcm").write_text("<html>504 Gateway Timeout</html>")
    all_reports(folder)


def broken_faults(run: Run) -> Sequence[str]:
    found = {"image-unsupported": 1, "pair-no-image": 1}
    return [*lost(run, STUDIES[:-1]), *counted(run, "quarantined", found), *counted(run, "other_files", {})]


def case(name: str, write: Callable[[Path], None], faults: Callable[[Run], Sequence[str]], *names: str) -> FieldCase:
    return FieldCase(name, write, faults, named_by=frozenset(names))


CASES = (
    case("img09_reports_and_dose_beside_films", write_disc, disc_faults),
    case("img11_zip_in_the_export", write_packed, packed_faults, "archive", "pair-no-image"),
    case("viewer_beside_films", write_viewer, viewer_faults),
    case("other_examinations_beside_films", write_examinations, examination_faults, "modality"),
    case("modality_missing_or_misspelt", write_unstated_modality, unstated_faults, "not_radiographs"),
    FieldCase("message_of_a_server_named_film", write_broken, broken_faults, arguments=("--max-bad-share", "0.3")),
)

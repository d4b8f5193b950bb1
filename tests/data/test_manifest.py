from __future__ import annotations

import csv
import io
import random
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fedaid.data.manifest import Manifest, read_manifest, report_of
from fedaid.data.site_path import file_inside
from fedaid.data.split import SPLITS, split_of
from fedaid.data.table import Row
from fedaid.data.unusable import UnusableStudy
from fedaid.errors import InputError

HEADER = "study_id,patient_id,image,report"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    (folder / "images").mkdir(parents=True)
    for name in ("a.png", "b.png", "c.png"):
        (folder / "images" / name).write_bytes(b"not read here")
    return folder


def write(root: Path, *rows: str, header: str = HEADER) -> Path:
    (root / "manifest.csv").write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return root


def refusal(root: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_manifest(root)
    return str(caught.value)


def good_and(root: Path, row: str, *, header: str = HEADER) -> Manifest:
    """The manifest of one usable row and another."""
    columns = header.split(",")
    usable = {"study_id": "ok", "patient_id": "P-ok", "image": "images/a.png", "report": "Clear.", "findings": "Clear."}
    if "report_path" in columns:
        (root / "good.txt").write_text("Clear.")
        usable["report_path"] = "good.txt"
    return read_manifest(write(root, ",".join(usable.get(name, "") for name in columns), row, header=header))


def test_a_row_becomes_a_study(root: Path) -> None:
    header = f"{HEADER},view,split,labels"
    write(
        root, 's1,p1,images/a.png,"HISTORY: cough. IMPRESSION: Clear.",PA,test, effusion | no finding |', header=header
    )
    manifest = read_manifest(root)
    (study,) = manifest.studies
    assert manifest.path == root / "manifest.csv"
    assert (study.line, study.patient_id, study.text, study.split) == (2, "p1", "Clear.", "test")
    assert study.image == (root / "images" / "a.png").resolve()
    assert study.labels == ("effusion", "no finding")
    assert manifest.skipped == {}


def test_an_uncertain_label_is_none_that_the_study_has(root: Path) -> None:
    write(root, "s1,p1,images/a.png,Clear., Edema | ?Fracture|? Pneumonia |?|", header=f"{HEADER},labels")
    (study,) = read_manifest(root).studies
    assert (study.labels, study.uncertain) == (("Edema",), ("Fracture", "Pneumonia"))


def test_view_sex_and_age_are_groups(root: Path) -> None:
    write(root, "s1,p1,images/a.png,Clear.,ap supine,f,83", header=f"{HEADER},view,sex,age")
    (study,) = read_manifest(root).studies
    assert (study.view, study.sex, study.age) == ("AP", "F", "80+")


def test_what_is_not_stated_or_not_known_is_no_group(root: Path) -> None:
    assert read_manifest(write(root, "s1,p1,images/a.png,Clear.")).studies[0].sex == ""
    write(root, "s1,p1,images/a.png,Clear.,oblique,unknown,old", header=f"{HEADER},view,sex,age")
    (study,) = read_manifest(root).studies
    assert (study.view, study.sex, study.age) == ("", "", "")


def test_a_report_may_be_a_file(root: Path) -> None:
    (root / "r.txt").write_bytes("FINDINGS: Größe normal.".encode("utf-8-sig"))
    write(root, "s1,p1,images/a.png,r.txt", header="study_id,patient_id,image,report_path")
    assert read_manifest(root).studies[0].text == "Größe normal."


@pytest.mark.parametrize(
    ("columns", "cells", "text"),
    [("findings,impression", "Clear.,Normal.", "Clear. Normal."), ("impression,findings", "Normal.,", "Normal.")],
)
def test_a_report_may_be_two_columns(columns: str, cells: str, text: str, root: Path) -> None:
    write(root, f"s1,p1,images/a.png,{cells}", header=f"study_id,patient_id,image,{columns}")
    assert read_manifest(root).studies[0].text == text


def test_the_line_is_the_first_of_a_row_that_spans_several(root: Path) -> None:
    write(root, 's1,p1,images/a.png,"Clear.\nNormal."', "s2,p2,images/b.png,Clear.")
    assert [study.line for study in read_manifest(root).studies] == [2, 4]


def test_identifiers_paths_and_texts_are_not_shown(root: Path) -> None:
    write(root, "SECRET1,SECRET2,images/a.png,SECRET3 lungs")
    shown = repr(read_manifest(root).studies)
    assert "SECRET" not in shown
    assert "a.png" not in shown


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        ("", "image-missing"),
        ("images/none.png", "image-missing"),
        ("images", "image-missing"),
        ("images/a.png/b", "image-missing"),
        ("x" * 5000, "image-missing"),
        ("a\0b", "image-missing"),
        ("../outside.png", "image-outside-root"),
        ("../none.png", "image-outside-root"),
        ("images/link.png", "image-outside-root"),
        ("linked/outside.png", "image-outside-root"),
        ("images/../../outside.png", "image-outside-root"),
    ],
)
def test_a_row_whose_image_is_at_fault_is_skipped_and_counted(image: str, reason: str, root: Path) -> None:
    (root.parent / "outside.png").write_bytes(b"x")
    (root / "images" / "link.png").symlink_to(root.parent / "outside.png")
    (root / "linked").symlink_to(root.parent)
    manifest = good_and(root, f"s2,p2,{image},Clear.")
    assert [study.line for study in manifest.studies] == [2]
    assert manifest.skipped == {reason: 1}


def test_an_absolute_path_is_outside_even_if_it_leads_inside(root: Path) -> None:
    assert good_and(root, f"s2,p2,{root.resolve()}/images/a.png,Clear.").skipped == {"image-outside-root": 1}


def test_a_loop_of_symlinks_is_a_missing_image(root: Path) -> None:
    (root / "loop").symlink_to(root / "loop")
    assert good_and(root, "s2,p2,loop,Clear.").skipped == {"image-missing": 1}


def test_a_symlink_that_stays_inside_is_followed(root: Path) -> None:
    (root / "inside.png").symlink_to(root / "images" / "a.png")
    assert read_manifest(write(root, "s1,p1,inside.png,Clear.")).studies[0].image.name == "a.png"


def test_a_root_behind_a_symlink_is_read(root: Path, tmp_path: Path) -> None:
    write(root, "s1,p1,images/a.png,Clear.")
    (tmp_path / "alias").symlink_to(root)
    assert len(read_manifest(tmp_path / "alias").studies) == 1


@pytest.mark.parametrize(
    ("cell", "content", "reason"),
    [
        ("none.txt", None, "report-missing"),
        ("", None, "report-missing"),
        ("../outside.txt", None, "report-outside-root"),
        ("r.txt", b"Gr\xf6\xdfe", "report-unreadable"),
        ("r.txt", b"a" * (1 << 20) + b"a", "report-too-large"),
        ("r.txt", b"", "report-empty"),
        ("r.txt", b"HISTORY: cough", "report-empty"),
    ],
)
def test_a_row_whose_report_is_at_fault_is_skipped_and_counted(
    cell: str, content: bytes | None, reason: str, root: Path
) -> None:
    if content is not None:
        (root / "r.txt").write_bytes(content)
    (root.parent / "outside.txt").write_text("Clear.")
    header = "study_id,patient_id,image,report_path"
    assert good_and(root, f"s2,p2,images/a.png,{cell}", header=header).skipped == {reason: 1}


def test_an_empty_inline_report_is_skipped(root: Path) -> None:
    assert good_and(root, "s2,p2,images/a.png,").skipped == {"report-empty": 1}


def test_no_usable_row_is_an_error_that_counts_the_reasons(root: Path) -> None:
    message = refusal(write(root, "s1,p1,none,Clear.", "s2,p2,none,Clear.", "s3,p3,images/a.png,"))
    assert "none (2 image-missing, 1 report-empty)" in message


def test_a_root_that_is_not_there_or_a_file_or_empty_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "empty").mkdir()
    assert "not there" in refusal(tmp_path / "none")
    assert "a file" in refusal(tmp_path / "file")
    assert "manifest.csv" in refusal(tmp_path / "empty")


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("study_id,image,report", "no patient_id"),
        ("study,patient,picture,report", "no study_id, patient_id, image"),
        ("study_id,patient_id,image", "0 sources"),
        ("study_id,patient_id,image,report,report_path", "2 sources"),
        ("study_id,patient_id,image,report,spilt", "'split'"),
        ("study_id,patient_id,image,report,label", "'labels'"),
    ],
)
def test_a_header_at_fault_is_named_with_its_line(header: str, said: str, root: Path) -> None:
    message = refusal(write(root, ",".join("x" * (header.count(",") + 1)), header=header))
    assert said in message
    assert "manifest.csv, line 1." in message


def test_other_columns_are_allowed(root: Path) -> None:
    header = f"{HEADER},age,sex,scanner,study_uid"
    assert len(read_manifest(write(root, "s1,p1,images/a.png,Clear.,50,F,x,1.2", header=header)).studies) == 1


SPLIT = f"{HEADER},split"


@pytest.mark.parametrize(
    ("rows", "said", "where"),
    [
        (
            ["SECRET,p1,images/a.png,Clear.,", "SECRET,p2,images/b.png,Clear.,"],
            "study_id must be unique",
            "lines 2, 3.",
        ),
        (["s1,SECRET,images/a.png,Clear.,train", "s2,SECRET,images/b.png,Clear.,test"], "two splits", "lines 2, 3."),
        (["s1,p1,images/a.png,Clear.,", "s2,p2,images/a.png,Clear.,SECRET"], "split must be one of", "line 3."),
        (["s1,p1,images/a.png,Clear.,Train"], "split must be one of", "line 2."),
        ([",p1,images/a.png,Clear.,"], "study_id must be given", "line 2."),
        (["s1, ,images/a.png,Clear.,"], "patient_id must be given", "line 2."),
        ([f"s{n},,x,SECRET,test" for n in range(8)], "patient_id must be given", "lines 2, 3, 4, 5, 6 and 3 more."),
    ],
)
def test_a_fault_names_file_and_lines_and_no_cell(rows: list[str], said: str, where: str, root: Path) -> None:
    message = refusal(write(root, *rows, header=SPLIT))
    assert said in message
    assert f"manifest.csv, {where}" in message
    assert "SECRET" not in message


def test_an_empty_or_wrongly_encoded_manifest_is_refused(root: Path) -> None:
    assert "hold one row a study" in refusal(write(root))
    (root / "manifest.csv").write_bytes(f"{HEADER}\ns1,p1,images/a.png,Gr\xf6".encode() + b"\xdf")
    assert "be UTF-8" in refusal(root)


def test_a_byte_order_mark_is_accepted(root: Path) -> None:
    (root / "manifest.csv").write_bytes(f"{HEADER}\ns1,p1,images/a.png,Clear.\n".encode("utf-8-sig"))
    assert len(read_manifest(root).studies) == 1


def test_without_a_split_the_patient_decides_by_the_seed(root: Path) -> None:
    write(root, *[f"s{n},p{n},images/a.png,Clear." for n in range(30)])
    for seed in ("fedaid", "other"):
        found = [study.split for study in read_manifest(root, split_seed=seed).studies]
        assert found == [split_of(f"p{n}", seed=seed) for n in range(30)]


def test_an_empty_split_follows_the_patients_other_row(root: Path) -> None:
    for given_split in SPLITS:
        rows = ("s1,p1,images/a.png,Clear.,", f"s2,p1,images/b.png,Clear.,{given_split}")
        manifest = read_manifest(write(root, *rows, header=SPLIT))
        assert [study.split for study in manifest.studies] == [given_split, given_split]


rows = st.lists(
    st.tuples(
        st.sampled_from(["p1", "p2", "p3", "p4"]),
        st.sampled_from(["images/a.png", "images/b.png", "images/none.png", "../up.png", ""]),
        st.text(max_size=40).filter(lambda text: "\0" not in text),
    ),
    min_size=1,
    max_size=12,
)


def csv_of(studies: list[tuple[str, ...]]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(HEADER.split(","))
    writer.writerows(studies)
    return out.getvalue().encode("utf-8", "replace")


@given(rows, st.randoms())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_row_is_used_or_counted_and_a_patient_has_one_split_in_any_order(
    cells: list[tuple[str, str, str]], shuffler: random.Random
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "images").mkdir()
        for name in ("a.png", "b.png"):
            (root / "images" / name).touch()
        studies: list[tuple[str, ...]] = [(f"s{n}", *row) for n, row in enumerate(cells)]
        studies.append(("last", "p1", "images/a.png", "Clear."))
        (root / "manifest.csv").write_bytes(csv_of(studies))
        manifest = read_manifest(root)
        shuffler.shuffle(studies)
        (root / "manifest.csv").write_bytes(csv_of(studies))
        again = read_manifest(root)
    assert len(manifest.studies) + sum(manifest.skipped.values()) == len(studies)
    assert manifest.skipped == again.skipped
    of = {study.patient_id: study.split for study in manifest.studies}
    assert all(study.split == of[study.patient_id] for study in [*manifest.studies, *again.studies])
    assert all(study.text and study.image.is_relative_to(root.resolve()) for study in manifest.studies)


def test_a_prepared_site_names_rows_of_its_pixels(root: Path) -> None:
    write(root, "s1,p1,images/a.png,Clear.,7", "s2,p2,images/a.png,Clear.,0", header=f"{HEADER},image_row")
    assert [study.row for study in read_manifest(root).studies] == [7, 0]
    assert read_manifest(write(root, "s1,p1,images/a.png,Clear.")).studies[0].row is None


@pytest.mark.parametrize("cell", ["", "x", "-1", "1.5", "²"])
def test_a_row_of_pixels_that_is_no_number_is_refused(cell: str, root: Path) -> None:
    write(root, "s1,p1,images/a.png,Clear.,1", f"s2,p2,images/a.png,Clear.,{cell}", header=f"{HEADER},image_row")
    assert "image_row must be a whole number" in refusal(root)


def test_a_row_of_pixels_for_two_studies_is_refused(root: Path) -> None:
    write(root, "s1,p1,images/a.png,Clear.,1", "s2,p2,images/a.png,Clear.,01", header=f"{HEADER},image_row")
    assert "image_row must be unique" in refusal(root)


def test_a_file_below_the_root_is_found(root: Path) -> None:
    assert file_inside(root.resolve(), "images/a.png", kind="image") == (root / "images" / "a.png").resolve()


@pytest.mark.parametrize(
    ("path", "reason"),
    [("", "image-missing"), ("b.dcm", "image-missing"), ("x\0", "image-missing"), (".", "image-missing"),
     ("../a.dcm", "image-outside-root"), ("/etc/passwd", "image-outside-root"), ("out", "image-outside-root")],
)  # fmt: skip
def test_what_is_no_file_below_the_root_has_its_reason(path: str, reason: str, root: Path) -> None:
    (root / "out").symlink_to("/etc/passwd")
    with pytest.raises(UnusableStudy) as fault:
        file_inside(root.resolve(), path, kind="image")
    assert fault.value.reason == reason


def test_a_report_in_cells_has_its_headings_where_it_has_text() -> None:
    row = Row(2, {"findings": "Clear.", "impression": " ", "report": " Clear. "})
    assert report_of(row, Path(), sources=("findings", "impression")) == "FINDINGS: Clear."
    assert report_of(row, Path(), sources=("report",)) == "Clear."

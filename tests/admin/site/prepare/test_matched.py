from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from admin.site.prepare.imaged_study import ImagedStudy, ImageFile, imaged_studies, key
from admin.site.prepare.matched import Match, claims_of, matches, named_by, placed
from admin.site.prepare.quarantine import Bad, counts
from admin.site.prepare.records import Record, read_records
from admin.site.prepare.scan import Found
from fedaid.data.pseudonym import Pseudonyms

NAMES = Pseudonyms(bytes(range(32)))
SPACES = ("", "", " ", "  ", "\t", "\u00a0", "\u3000")
WIDE = {ord(plain): ord(plain) + 0xFEE0 for plain in "ABC0123456789-"}


def image(path: str, *, accession: str = "", study: str = "", patient: str = "") -> tuple[Found, ImageFile]:
    return Found(path, "1"), ImageFile(
        file=path,
        stamp="1",
        reason=None,
        patient=NAMES.patient(patient) if patient else "",
        study=key("study", study, NAMES),
        accession=key("accession", accession, NAMES),
    )


def found(
    images: Sequence[tuple[Found, ImageFile]], records: Sequence[Record], names: Pseudonyms = NAMES
) -> tuple[list[Match], list[Bad]]:
    claims = claims_of(records, names)
    studies = imaged_studies([(file, placed(file, entry, claims)) for file, entry in images], names)
    return matches(studies, records, claims=claims, names=names)


def record(accession: str, patient: str = "", **more: object) -> Record:
    return Record(keys=(("accession", accession),), name=accession, text="Clear.", patient=patient, **more)


def named(study: str, *paths: str, patient: str = "p", splits: tuple[str, ...] = ()) -> Record:
    images = tuple((path, "") for path in paths)
    return Record(keys=(("study", study),), name=study, text="x", patient=patient, images=images, splits=splits)


def disguised(accession: str, draw: random.Random) -> str:
    """The accession number as another export may spell it."""
    letters = accession.translate(WIDE) if draw.random() < 0.1 else accession
    return draw.choice(SPACES).join(draw.choice((str.upper, str.lower))(letter) for letter in letters) + draw.choice(
        SPACES
    )


@given(st.integers(0, 2**32))
@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.parametrize("kind", ["table", "folder"])
def test_no_wrong_pair_among_hundreds_of_shuffled_duplicated_and_respelt_accession_numbers(
    kind: str, tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    """Each report names the number of its study; images are numbered as accession numbers of others are."""
    draw, count = random.Random(seed), 300
    accessions = [f"{draw.randrange(4 * count)}-a" if draw.random() < 0.9 else f"{number}" for number in range(count)]
    absent = {number for number in range(count) if draw.random() < 0.1}  # whose images are not in the export
    accessions = [f"{n + count}" if n in absent else accession for n, accession in enumerate(accessions)]
    files = [f"{draw.randrange(9)}/{number}.dcm" for number in draw.sample(range(2 * count), count)]
    images = [image(files[n], accession=disguised(accessions[n], draw), study=f"1.{n}") for n in range(count)]
    images = [one for n, one in enumerate(images) if n not in absent]
    written = [n for n in range(count) for _ in range(draw.choice((0, 1, 1, 1, 1, 2)))]
    draw.shuffle(images)
    draw.shuffle(written)
    folder = tmp_path_factory.mktemp("reports")
    if kind == "table":
        rows = [f"{disguised(accessions[n], draw)},p{n},Study {n},copy {copy}" for copy, n in enumerate(written)]
        (folder / "r.csv").write_text(
            "Accession Number,patient_id,report,labels\n" + "\n".join(rows) + "\n", encoding="utf-8"
        )
    else:
        for copy, n in enumerate(written):
            (folder / str(copy)).mkdir()
            (folder / str(copy) / f"{disguised(accessions[n], draw)}.txt").write_text(f"Study {n}", encoding="utf-8")
    records = read_records(folder / "r.csv" if kind == "table" else folder)
    assert len(records) == len(written)
    if kind == "folder":
        records = [Record(keys=one.keys, name=one.name, file=one.file, patient="q") for one in records]
    pairs, bad = found(images, records)
    own = {key("study", f"1.{n}", NAMES): n for n in range(count)}
    assert [one for one in pairs if one.record.report() != f"Study {own[one.study.name]}"] == [], (
        "wrong pairs must be 0"
    )
    shared, reports, present = Counter(accessions), Counter(written), set(range(count)) - absent
    certain = {n for n in present if shared[accessions[n]] == 1 and reports[n] == 1}
    assert {own[one.study.name] for one in pairs} == certain, "and every certain pair is made"
    alone = {n for n in present if not any(reports[m] for m in range(count) if accessions[m] == accessions[n])}
    assert counts(bad)["pair-no-report"] == len(alone)
    lonely = sum(n in absent for n in written)
    assert counts(bad)["pair-no-image"] == lonely
    assert counts(bad)["pair-ambiguous"] == len(present - certain - alone) + len(written) - len(certain) - lonely


def test_two_reports_for_one_accession_number_are_all_left_out() -> None:
    pairs, bad = found([image("x", accession="A1", patient="p")], [record("A1"), record(" a1")])
    assert (pairs, counts(bad)) == ([], {"pair-ambiguous": 3})


def test_the_files_of_a_folder_are_named_in_one_way() -> None:
    studies = imaged_studies([image("12.dcm", accession="7"), image("13", accession="8"), image("14")], NAMES)
    by_name = [Record(keys=(("file name", name),), name=name) for name in ("7", "8", "12")]
    assert named_by(studies, by_name, NAMES) == "accession"
    assert named_by(studies, [*by_name, *by_name[2:] * 2], NAMES) == "stem"
    assert [one.study.paths for one in found([image("12.dcm", accession="7", patient="p")], by_name[:1])[0]] == [
        ("12.dcm",)
    ]


def test_a_data_set_places_its_images_whatever_the_files_say() -> None:
    images = [image("a", accession="1", patient="x"), image("b", accession="2"), image("c", accession="1")]
    (match,), bad = found(images, [named("s", "a", "b")])
    assert match.study.paths == ("a", "b")
    assert match.patient == NAMES.patient("p")
    assert counts(bad) == {"pair-no-report": 1}


def test_an_image_that_two_records_name_is_paired_with_neither() -> None:
    pairs, bad = found([image(path) for path in "abc"], [named("s", "a", "b"), named("t", "b", "c"), named("u")])
    assert (pairs, counts(bad)) == ([], {"pair-ambiguous": 4, "pair-no-image": 1})


def test_a_record_without_its_images_is_not_counted_beside_them() -> None:
    assert found([], [named("s", "a")]) == ([], [])


def test_image_and_report_must_name_one_patient() -> None:
    images = [image("a", accession="1", patient="p"), image("b", accession="2", patient="p"), image("c", accession="3")]
    pairs, bad = found(images, [record("1", " P "), record("2", "q"), record("3")])
    assert [match.study.paths for match in pairs] == [("a",)]
    assert counts(bad) == {"patient-conflict": 1, "patient-missing": 1}


@pytest.mark.parametrize("kind", ["accession", "study"])
def test_a_file_name_does_not_pair_what_two_numbers_tell_apart(kind: str) -> None:
    images = [image("1.dcm", accession="a7", study="1.7", patient="p"), image("2.dcm", patient="q")]
    other = Record(keys=((kind, "999"), ("stem", "1")), name="other", text="x")
    fitting = Record(keys=((kind, "999"), ("stem", "2")), name="fitting", text="x")
    pairs, bad = found(images, [other])
    assert (pairs, counts(bad)) == ([], {"pair-conflict": 1, "pair-no-report": 1})
    assert len(found(images, [fitting])[0]) == 1, "an image without a number contradicts none"


def test_a_given_split_holds_for_the_patient_and_two_are_a_conflict() -> None:
    for path in "abcdefgh":  # whatever the key would draw
        other = named("t", "other", patient=path)
        (first, second), bad = found(
            [image(path), image("other")], [named("s", path, patient=path, splits=("test",)), other]
        )
        assert (first.split, second.split, bad) == ("test", "test", [])
    records = [named("s", "a", splits=("test",)), named("t", "b", splits=("train",)), named("u", "c", patient="q")]
    pairs, bad = found([image(path) for path in "abc"], records)
    assert [match.study.paths for match in pairs] == [("c",)]
    assert counts(bad) == {"split-conflict": 2}


patients = st.lists(st.integers(0, 40), min_size=1, max_size=60)


def splits(of: Sequence[int], start: int = 0, names: Pseudonyms = NAMES) -> dict[str, str]:
    """Study → split, of studies whose patients are these."""
    accessions = [f"{number}" for number in range(start, start + len(of))]
    images = [image(f"x{one}", accession=one, study=f"1.{one}") for one in accessions]
    records = [record(one, f"p{who}") for one, who in zip(accessions, of, strict=True)]
    return {match.record.name: match.split for match in found(images, records, names)[0]}


@given(patients, patients, st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=40)
def test_added_studies_change_no_earlier_split_and_a_patient_is_on_one_side(
    before: list[int], added: list[int], draw: random.Random
) -> None:
    first, all_of_them = splits(before), splits([*before, *added])
    assert len(first) == len(before)
    assert {study: all_of_them[study] for study in first} == first
    of_patient = {who: {all_of_them[f"{n}"] for n, one in enumerate([*before, *added]) if one == who} for who in before}
    assert all(len(found_splits) == 1 for found_splits in of_patient.values())


def test_another_key_draws_other_splits() -> None:
    everyone = list(range(200))
    other = Pseudonyms(bytes(reversed(range(32))))
    images = [image(f"x{n}", accession=f"{n}", study=f"1.{n}") for n in everyone]
    here = splits(everyone)
    rekeyed = [
        (one, ImageFile(entry.file, "1", None, accession=key("accession", one.relative[1:], other)))
        for one, entry in images
    ]
    there = {
        match.record.name: match.split
        for match in found(rekeyed, [record(f"{n}", f"p{n}") for n in everyone], other)[0]
    }
    assert len(here) == len(there) == 200
    same = sum(here[study] == there[study] for study in here)
    assert 70 < same < 140, "as two independent draws of 70, 15 and 15 % agree in about 53 %"


def test_nothing_of_a_report_shows_in_a_repr() -> None:
    study = ImagedStudy("s", (), (), (), (), ("SECRET",))
    assert "SECRET" not in repr(Match(study, record("SECRET"), "p", "train"))


def test_reports_in_a_folder_may_be_named_by_the_image(tmp_path: Path) -> None:
    (tmp_path / "x 1.txt").write_text("Clear.")
    (match,), bad = found([image("in/X1.dcm", accession="9", patient="p")], read_records(tmp_path))
    assert (match.record.report(), bad) == ("Clear.", [])

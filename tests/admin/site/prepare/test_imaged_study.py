from __future__ import annotations

from typing import Any

from admin.site.films.film_order import preference
from admin.site.prepare.imaged_study import ImageFile, file_name, imaged_studies, key
from admin.site.prepare.scan import Found
from fedaid.data.pseudonym import Pseudonyms

NAMES = Pseudonyms(bytes(range(32)))


def image(name: str, **tags: Any) -> tuple[Found, ImageFile]:
    return Found(name, "1"), ImageFile(file=name, stamp="1", reason=None, **tags)


def test_images_of_one_study_uid_are_one_study_with_the_keys_of_all() -> None:
    images = [image("a/x.dcm", study="s", accession="1"), image("b/y.dcm", study="s"), image("c/z.dcm", study="t")]
    first, second = imaged_studies(images, NAMES)
    assert first.images == ("a/x.dcm", "b/y.dcm")
    assert set(first.keys) == {"s", "1", key("stem", "X", NAMES), key("stem", "y", NAMES)}
    assert second.name == "t"


def test_without_a_study_uid_the_accession_number_counts_and_else_the_file() -> None:
    images = [image("a", accession="1"), image("b", accession="1"), image("c"), image("d")]
    assert [study.images for study in imaged_studies(images, NAMES)] == [("a", "b"), ("c",), ("d",)]


def test_the_preferred_view_comes_first_then_the_name() -> None:
    views = ("LL", "", "AP", "PA", "PA")
    images = [image(f"{9 - n}", study="s", view=view) for n, view in enumerate(views)]
    (study,) = imaged_studies(images, NAMES)
    assert study.views == ("PA", "PA", "AP", "", "LL")
    assert study.paths[:2] == ("5", "6")
    assert sorted(["LL", "", "PA", "AP"], key=preference) == ["PA", "AP", "", "LL"]


def test_every_patient_that_is_named_counts() -> None:
    (study,) = imaged_studies([image("a", study="s", patient="p"), image("b", study="s", patient="q")], NAMES)
    assert set(study.patients) == {"p", "q"}


def test_keys_forgive_spelling_and_paths_do_not() -> None:
    assert key("accession", " a-1 ", NAMES) == key("accession", "A- 1", NAMES)
    assert key("accession", "1", NAMES) != key("study", "1", NAMES)
    assert key("stem", " ", NAMES) == ""
    names = [file_name(Found(path, "1"), NAMES) for path in ("a/B", "a/b", "a/b ", "a/\udcff")]
    assert len(set(names)) == 4


def test_in_memory_a_header_is_reduced_to_sex_and_age_which_equal_ones_share() -> None:
    first, second = (
        image(name, header={"sex": "F", "age": 57, "manufacturer": "GE"})[1].brief() for name in ("a", "b")
    )
    assert (first.header["sex"], first.header["age"]) == ("F", "57")
    assert "manufacturer" not in first.header
    assert first.header is second.header
    assert {image("c")[1].brief().header[name] for name in ("sex", "age")} == {""}


def test_a_study_knows_the_person_of_each_of_its_images() -> None:
    images = [image("a", study="s", view="LL", header={"sex": "F"}), image("b", study="s", view="PA", header={})]
    (study,) = imaged_studies(images, NAMES)
    assert [dict(person) for person in study.people] == [{}, {"sex": "F"}]

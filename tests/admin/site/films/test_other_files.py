from __future__ import annotations

from admin.site.films.other_files import OtherFiles, known_kind


def test_objects_and_other_files_are_counted_apart_in_alphabetical_order() -> None:
    others = OtherFiles()
    for kind in ("text", "SR", "CT", "text", "DICOMDIR"):
        others.add(kind, ("s",))
    assert others.counts() == {
        "not_radiographs": {"CT": 1, "SR": 1},
        "other_files": {"DICOMDIR": 1, "text": 2},
        "reports_of_other_examinations": 0,
    }


def test_a_report_belongs_to_another_examination_and_never_to_what_accompanies_a_film() -> None:
    others = OtherFiles()
    others.add("CT", ("study-1", "", "stem-1"))
    others.add("SR", ("study-2", "", "stem-2"))
    assert [others.takes(keys) for keys in (("study-1", "x"), ("study-2",), ("",), ())] == [True, False, False, False]
    assert others.reports == 1


def test_only_archives_need_advice() -> None:
    others = OtherFiles()
    others.add("text", ())
    assert others.advice == ""
    others.add("archive", ())
    others.add("archive", ())
    assert others.advice.startswith("2 archives")
    assert others.advice.endswith("unpack them first.")


def test_a_kind_that_is_on_no_list_is_nothing() -> None:
    assert [known_kind(kind) for kind in ("CT", "archive", "DICOMDIR", "DOE^JANE", "")] == [
        "CT",
        "archive",
        "DICOMDIR",
        "",
        "",
    ]

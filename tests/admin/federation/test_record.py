from __future__ import annotations

from pathlib import Path

import pytest

from admin.federation.kit_process import KitProcess
from admin.federation.record import Record, new_mark, read_record, write_record
from fedaid.errors import InputError

RECORD = Record("m", Path("/kits"), "server", "admin@x.org", "lead@x.org", ("a", "b"))


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    record = RECORD.with_processes([KitProcess("server", 12, 34.5), KitProcess("a", 13, 35.5)])
    write_record(tmp_path, record)
    assert read_record(tmp_path) == record


def test_without_a_file_there_is_no_record(tmp_path: Path) -> None:
    assert read_record(tmp_path) is None


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"processes": [{"name": "x"}], "kits": "", "sites": []}'])
def test_a_file_that_is_not_ours_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "federation.json").write_text(content)
    with pytest.raises(InputError, match=r"federation.json must be as this project wrote it"):
        read_record(tmp_path)


def test_the_kits_lie_under_the_names_of_their_owners() -> None:
    assert (RECORD.server_kit, RECORD.admin_kit, RECORD.lead_kit) == (
        Path("/kits/server"),
        Path("/kits/admin@x.org"),
        Path("/kits/lead@x.org"),
    )


def test_marks_differ() -> None:
    assert new_mark() != new_mark()

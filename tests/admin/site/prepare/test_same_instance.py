from __future__ import annotations

from pathlib import Path

import pytest

from admin.site.prepare.imaged_study import ImageFile, torn_studies
from admin.site.prepare.scan import Found


@pytest.mark.parametrize(
    ("study", "instance", "content", "torn"),
    [
        ("s", "i", b"other", {"s"}),
        ("s", "i", b"first", set()),
        ("s", "j", b"other", set()),
        ("t", "i", b"other", set()),
        ("s", "", b"other", set()),
    ],
)
def test_only_two_files_of_one_instance_with_different_bytes_tear_their_study(
    study: str, instance: str, content: bytes, torn: set[str], tmp_path: Path
) -> None:
    (tmp_path / "1").write_bytes(b"first")
    (tmp_path / "2").write_bytes(content)
    one = (Found("1", "5-1"), ImageFile("1", "5-1", None, study="s", instance="i"))
    two = (Found("2", "5-1"), ImageFile("2", "5-1", None, study=study, instance=instance))
    assert torn_studies([one, two], tmp_path) == torn

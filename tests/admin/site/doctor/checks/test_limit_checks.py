from __future__ import annotations

from tests.admin.site.doctor.evidence_of import case, fires_for, look, site


def test_a_very_large_file_is_found() -> None:
    assert fires_for("large-files", case(2, size=(64 << 20) + 1), case(3, size=64 << 20)) == [2]


def test_a_disk_without_room_is_told_with_what_is_needed() -> None:
    found = look("disk-space", site(sound=100, free_bytes=1 << 20))
    assert (found.fired, found.said) == (True, "9 MiB are needed at 224 pixels a side")
    assert not look("disk-space", site(sound=100, free_bytes=1 << 30)).fired

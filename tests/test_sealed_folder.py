from __future__ import annotations

from pathlib import Path

import pytest

from fedaid.errors import InputError
from fedaid.sealed_folder import MANIFEST, Damaged, copy_sealed, damage, is_sealed, require_whole, seal


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A sealed folder with a file, and a file in a sub-folder."""
    made = tmp_path / "made"
    (made / "inner").mkdir(parents=True)
    (made / "a.txt").write_text("alpha")
    (made / "inner" / "b.txt").write_text("beta")
    seal(made)
    return made


def test_a_sealed_folder_is_whole_and_may_get_other_files(folder: Path) -> None:
    assert (is_sealed(folder), damage(folder)) == (True, "")
    (folder / "later.txt").touch()
    assert damage(folder) == ""


def test_every_flipped_bit_of_a_file_and_of_the_manifest_shows(folder: Path) -> None:
    tried = 0
    for name in ("a.txt", "inner/b.txt", MANIFEST):
        file = folder / name
        whole = file.read_bytes()
        for bit in range(8 * len(whole)):
            content = bytearray(whole)
            content[bit // 8] ^= 1 << bit % 8
            file.write_bytes(content)
            assert damage(folder), f"bit {bit} of {name}"
            tried += 1
        for length in range(len(whole)):
            file.write_bytes(whole[:length])
            assert damage(folder), f"{length} bytes of {name}"
        file.write_bytes(whole)
    assert tried > 1500
    assert damage(folder) == ""


def test_a_manifest_with_one_name_twice_is_damaged(folder: Path) -> None:
    text = (folder / MANIFEST).read_text()
    (folder / MANIFEST).write_text(text.replace("inner/b.txt", "a.txt"))
    assert damage(folder) == f"{MANIFEST} is damaged"


@pytest.mark.parametrize("text", ["{}\n", "[]\n", "null\n", '"a.txt"\n'])
def test_a_manifest_that_names_no_file_is_damaged(text: str, folder: Path) -> None:
    (folder / MANIFEST).write_text(text)
    assert damage(folder) == f"{MANIFEST} is damaged"


def test_a_folder_without_a_manifest_is_damaged_but_readers_do_not_check_it(folder: Path) -> None:
    (folder / MANIFEST).unlink()
    assert damage(folder) == f"{MANIFEST} cannot be read (No such file or directory)"
    require_whole(folder)


@pytest.mark.parametrize("beside", ["run.json", "round-00001/run.json"])
def test_a_folder_of_a_run_whose_manifest_is_gone_is_refused(beside: str, folder: Path) -> None:
    (folder / beside).parent.mkdir(exist_ok=True)
    (folder / beside).write_text("{}")
    (folder / MANIFEST).unlink()
    with pytest.raises(InputError, match=r"folder must be as its MANIFEST\.json says, got no MANIFEST\.json"):
        require_whole(folder)


def test_a_folder_whose_manifest_is_gone_is_refused_if_the_download_names_it(folder: Path) -> None:
    seal(folder.parent)
    (folder / MANIFEST).unlink()
    with pytest.raises(InputError, match=r"got no MANIFEST\.json"):
        require_whole(folder)


def test_a_download_of_a_version_without_manifests_stays_readable_with_a_warning(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    require_whole(folder)
    (folder / MANIFEST).unlink()
    require_whole(folder)
    assert caplog.text == ""
    (folder / "state.json").write_text("{}")
    require_whole(folder)
    assert "is of a version that wrote no MANIFEST.json: damage to its files would not show" in caplog.text


def test_a_damaged_folder_is_refused_by_file(folder: Path) -> None:
    require_whole(folder)
    (folder / "inner" / "b.txt").write_text("bete")
    with pytest.raises(InputError, match=r"folder must be as its MANIFEST\.json says, got inner/b\.txt differs"):
        require_whole(folder)


def test_a_copy_is_sealed_and_may_leave_a_sub_folder_out(folder: Path, tmp_path: Path) -> None:
    copy_sealed(folder, tmp_path / "copy")
    assert damage(tmp_path / "copy") == ""
    copy_sealed(folder, tmp_path / "part", leave_out=("inner",))
    assert sorted(path.name for path in (tmp_path / "part").iterdir()) == [MANIFEST, "a.txt"]


def test_a_damaged_folder_is_not_copied_into_a_whole_one(folder: Path, tmp_path: Path) -> None:
    (folder / "a.txt").write_text("alpho")
    with pytest.raises(Damaged, match=r"made cannot be copied: a\.txt differs"):
        copy_sealed(folder, tmp_path / "copy")
    assert not is_sealed(tmp_path / "copy")

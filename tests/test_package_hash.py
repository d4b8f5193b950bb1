from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import fedaid
from fedaid.package_hash import code_files, code_hash

PACKAGE = Path(str(fedaid.__file__)).parent


def changed(copy: Path) -> None:
    (copy / "evaluation" / "findings" / "prompts" / "chexpert-v1.json").write_text("{}")


def renamed(copy: Path) -> None:
    (copy / "errors.py").rename(copy / "mistakes.py")


def added(copy: Path) -> None:
    (copy / "more.py").touch()


def swapped(copy: Path) -> None:
    one, other = (copy / name for name in ("errors.py", "setting.py"))
    texts = one.read_bytes(), other.read_bytes()
    one.write_bytes(texts[1]), other.write_bytes(texts[0])


def test_a_copy_has_the_hash_of_the_code_that_runs_here(tmp_path: Path) -> None:
    copy = shutil.copytree(PACKAGE, tmp_path / "elsewhere" / "fedaid")
    assert code_hash(copy) == code_hash()
    assert len(code_files(copy)) > 150
    assert "evaluation/findings/prompts/chexpert-v1.json" in code_files(copy)


def test_compiled_files_and_signatures_do_not_count(tmp_path: Path) -> None:
    copy = shutil.copytree(PACKAGE, tmp_path / "fedaid", ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "__pycache__").mkdir()
    (copy / "__pycache__" / "errors.cpython-311.pyc").touch()
    (copy / ".__nvfl_sig.json").write_text("{}")
    assert code_hash(copy) == code_hash()


@pytest.mark.parametrize("change", [changed, renamed, added, swapped])
def test_any_other_change_gives_another_hash(change: Callable[[Path], None], tmp_path: Path) -> None:
    copy = shutil.copytree(PACKAGE, tmp_path / "fedaid", ignore=shutil.ignore_patterns("__pycache__"))
    change(copy)
    assert code_hash(copy) != code_hash()


def test_the_layout_of_a_json_file_does_not_count_but_its_value_does(tmp_path: Path) -> None:
    """FLARE's command ``nvflare job submit`` writes every JSON file anew."""
    file = tmp_path / "fedaid" / "prompts.json"
    file.parent.mkdir()
    hashes = []
    for text in ('{"a": [1, 2]}', '{\n  "a": [\n    1,\n    2\n  ]\n}\n', '{"a": [1, 3]}'):
        file.write_text(text)
        hashes.append(code_hash(file.parent))
    assert hashes[0] == hashes[1] != hashes[2]

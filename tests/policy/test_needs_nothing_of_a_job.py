from __future__ import annotations

import ast
import sys
from pathlib import Path

import hospital_policy

FOLDER = Path(hospital_policy.__file__).parent
FILES = sorted(FOLDER.glob("*.py"))
FORBIDDEN = {"pickle", "marshal", "shelve", "subprocess", "socket", "ctypes"}


def roots(file: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))
    named = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    named |= {str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)}
    return {name.split(".")[0] for name in named}


def test_the_policy_needs_numpy_and_flare_only() -> None:
    assert len(FILES) > 8
    assert [path for path in FOLDER.rglob("*.py") if path.parent != FOLDER] == []
    for file in FILES:
        found = roots(file)
        assert found <= {*sys.stdlib_module_names, "numpy", "nvflare", "hospital_policy"}, file.name
        assert not found & FORBIDDEN, file.name


def test_what_the_command_line_reads_needs_no_flare() -> None:
    plain = {"rules.py", "accountant.py", "site_record.py", "kit_files.py", "limited_update.py", "plain_fields.py"}
    assert plain <= {file.name for file in FILES}
    assert not [name for name in plain if "nvflare" in roots(FOLDER / name)]


def test_a_file_is_an_idea() -> None:
    assert all(len(file.read_text(encoding="utf-8").splitlines()) <= 250 for file in FILES)

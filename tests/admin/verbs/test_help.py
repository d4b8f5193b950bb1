"""What ``python -m admin`` and every ``--help`` print, and what they import before."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from admin.__main__ import main
from admin.verbs.verb_table import GROUPS, VERBS, listing
from fedaid.version import VERSION

ROOT = Path(__file__).parents[3]
HEAVY = (
    "torch",
    "monai",
    "nvflare",
    "transformers",
    "matplotlib",
    "numpy",
    "pydicom",
    "scipy",
    "sklearn",
    "rich",
    "yaml",
)
ALL_HELP = """
import sys
from admin.__main__ import main
from admin.verbs.verb_table import VERBS
for verb in VERBS:
    try:
        main([verb, "--help"])
    except SystemExit as done:
        assert done.code == 0, verb
print("imported:", *sorted({name.partition(".")[0] for name in sys.modules}))
"""


def test_no_help_imports_a_heavy_library() -> None:
    done = subprocess.run([sys.executable, "-c", ALL_HELP], cwd=ROOT, capture_output=True, text=True, check=True)
    imported = done.stdout.splitlines()[-1].removeprefix("imported: ").split()
    assert "argparse" in imported
    assert not set(HEAVY) & set(imported)
    assert done.stdout.count("usage: python -m admin ") == len(VERBS)


def test_a_verb_imports_its_work_once_the_arguments_are_read() -> None:
    code = ALL_HELP.replace('[verb, "--help"]', '[verb, "--no-such-flag"]')
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not set(HEAVY) & set(done.stdout.splitlines()[-1].split())
    assert done.stderr.count("error: ") == len(VERBS)


def test_an_unknown_verb_answers_as_json_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bogus", "--format", "json"]) == 1
    captured = capsys.readouterr()
    envelope = json.loads(captured.out)
    assert (envelope["status"], envelope["exit_code"]) == ("error", 1)
    assert captured.err == f"error: {envelope['message']}\n"


def test_without_a_verb_all_are_listed_by_user_in_the_order_of_use(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert capsys.readouterr().out == listing() + "\n"
    lines = listing().splitlines()
    heads = [lines.index(user) for user in GROUPS]
    assert heads == sorted(heads)
    assert [line.split()[0] for line in lines if line.startswith("  ")] == [
        *("prepare", "doctor", "policy", "ledger", "log", "partition"),
        *("package", "check", "plan", "simulate", "poc", "provision"),
        *("submit", "run", "status", "monitor", "abort", "download", "report"),
        *("tower", "export", "evaluate", "compare", "demo", "twin"),
        "vocabulary",
    ]
    assert max(map(len, lines)) <= 80


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"FedAID {VERSION}\n"


def test_an_unknown_verb_is_refused_with_the_closest_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prepair", "--out", "x"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: VERB must be a verb of python -m admin, got prepair")
    assert captured.err.endswith("Did you mean prepare?\n")


def test_no_module_of_admin_is_an_entry_of_its_own() -> None:
    found = [file for file in (ROOT / "admin").rglob("*.py") if '__name__ == "__main__"' in file.read_text()]
    entries = [str(file.relative_to(ROOT)) for file in found]
    assert sorted(entries) == ["admin/__main__.py", "admin/study/compare/trial.py"]  # a trial is a process of its own

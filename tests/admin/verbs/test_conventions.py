"""One convention for every verb: flags, streams, exit codes, the JSON envelope, Ctrl-C, files that are not there."""

from __future__ import annotations

import argparse
import errno
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from admin.__main__ import main
from admin.verbs import verb_parser as module
from admin.verbs.run_verb import parser_of
from admin.verbs.verb_parser import existing_file, existing_folder, existing_path
from admin.verbs.verb_table import VERBS
from fedaid.errors import InputError

SECRET = "MUELLER^HANS.dcm"  # noqa: S105 - a file's name can be a patient's
OUTPUTS = {"out", "workspace", "folder", "projection", "runs"}  # paths that need not exist
Words = tuple[str, ...]


class Work(NamedTuple):
    """How a verb gets to its work, what that work is, and what Ctrl-C during it leaves."""

    words: Words
    function: str
    leaves: str


WORK: Mapping[str, Work] = {
    "prepare": Work(
        ("--images", "DATA", "--reports", "FILE", "--out", "OUT"),
        "admin.site.prepare.site_dataset.prepare",
        "the same command continues",
    ),
    "doctor": Work(("DATA",), "admin.site.doctor.examined_site.examine_site", "the data are unchanged"),
    "policy": Work(("--kit", "DATA"), "admin.site.policy.installed_policy.install", "run the command again"),
    "ledger": Work(("DATA",), "admin.site.policy.examined_ledger.examine_ledger", "the ledger is unchanged"),
    "log": Work(("DATA", "id-1", "--out", "OUT"), "admin.site.kit.redacted_log.lines_of_job", "nothing was sent"),
    "partition": Work(
        ("FILE", "--out", "OUT"), "admin.site.partition.manifest_partition.divide", "remove the incomplete --out"
    ),
    "package": Work(
        ("fedaid_pretrain", "--out", "OUT"), "admin.jobs.package.package_job", "a former job of that name is unchanged"
    ),
    "check": Work(("DATA",), "admin.jobs.job_check.check_job", "nothing goes on"),
    "plan": Work(("DATA", "--studies", "9", "--step-seconds", "1"), "admin.jobs.plan.plan_job", "the job is unchanged"),
    "simulate": Work(
        ("DATA", "--sites", "a", "--data", "DATA"), "admin.federation.simulate.simulate", "the simulation was ended"
    ),
    "poc": Work(("stop", "--workspace", "OUT"), "admin.federation.stop.stop_federation", "repeat the command"),
    "provision": Work(
        ("--project", "FILE", "--out", "OUT"), "admin.federation.provision.provision", "repeat the command"
    ),
    "submit": Work(("DATA", "--kit", "DATA"), "admin.session.submit.submission_warnings", "nothing was submitted"),
    "run": Work(("DATA", "--kit", "DATA"), "admin.session.submit.submission_warnings", "python -m admin run"),
    "status": Work(("--kit", "DATA"), "admin.session.login.admin_session", "the runs go on"),
    "monitor": Work(("id-1", "--kit", "DATA"), "admin.session.login.admin_session", "job id-1 goes on at the server"),
    "abort": Work(("id-1", "--kit", "DATA"), "admin.session.login.admin_session", "a job may be aborted"),
    "download": Work(("id-1", "--kit", "DATA"), "admin.session.login.admin_session", "then repeat the command"),
    "report": Work(("DATA",), "admin.results.report.report_files.write_report", "no report card was written"),
    "tower": Work(
        ("import", "DATA", "--out", "OUT"), "admin.model.towers.imported_towers.import_towers", "nothing was written"
    ),
    "export": Work(
        ("DATA", "--out", "OUT"), "admin.model.export.source.read_source", "formats that are complete are kept"
    ),
    "evaluate": Work(
        ("DATA", "--data", "DATA"), "admin.study.model_evaluation.evaluate_model", "no result was written"
    ),
    "compare": Work(
        ("--data", "DATA", "--out", "OUT"), "admin.study.compare.comparison.job_changed", "the same command continues"
    ),
    "demo": Work(("--folder", "OUT"), "admin.study.demo.run_demo", "the federation is stopped"),
    "twin": Work(("--out", "OUT"), "admin.verbs.researcher.twin_hospitals.write", "then repeat the command"),
    "vocabulary": Work(("--out", "OUT"), "admin.model.build_vocabulary.build_vocabulary", "nothing goes on"),
}


class Place(NamedTuple):
    """Folders and files of a test."""

    data: Path
    file: Path
    out: Path

    def words(self, verb: str, *more: str) -> list[str]:
        """A verb's command line."""
        given = {"DATA": str(self.data), "FILE": str(self.file), "OUT": str(self.out)}
        return [verb, *(given.get(word, word) for word in WORK[verb].words), *more]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A folder with a manifest, a file, and a folder that is not there."""
    (tmp_path / "data").mkdir()
    for name in ("data/manifest.csv", "file.csv"):
        (tmp_path / name).write_text("study_id,patient_id,image\n")
    return Place(tmp_path / "data", tmp_path / "file.csv", tmp_path / "out")


@pytest.fixture(params=list(VERBS))
def verb(request: pytest.FixtureRequest) -> str:
    """Each verb."""
    return str(request.param)


def failing(monkeypatch: pytest.MonkeyPatch, verb: str, error: BaseException) -> None:
    """Let a verb's work print something and fail."""

    def work(*_: Any, **__: Any) -> None:
        print("a library's chatter")
        raise error

    monkeypatch.setattr(WORK[verb].function, work)


def options_of(parser: argparse.ArgumentParser, before: Words = ()) -> Iterator[tuple[Words, argparse.Action]]:
    """Every argument of a parser and of its sub-parsers, with the words that lead to it."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, sub in action.choices.items():
                yield from options_of(sub, (*before, name))
        else:
            yield before, action


def test_the_table_has_every_verb() -> None:
    assert list(WORK) == list(VERBS)


def test_flags_are_hyphenated_and_explained(verb: str) -> None:
    actions = [action for _, action in options_of(parser_of(VERBS[verb]))]
    flags = [flag for action in actions for flag in action.option_strings]
    assert {"--help", "--format"} <= set(flags)
    assert [flag for flag in flags if flag != "-h" and not re.fullmatch("--[a-z]+(-[a-z]+)*", flag)] == []
    assert [action.dest for action in actions if not action.help] == []


def test_a_wrong_command_line_is_one_line_and_code_1(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    sub = ["stop"] if verb == "poc" else []
    assert main([verb, *sub, "--no-such-flag"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: ")
    assert captured.err.endswith(" --help\n")
    assert captured.err.count("\n") == 1
    assert main([verb, *sub, "--no-such-flag", "--format", "json"]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert (answer["status"], answer["exit_code"]) == ("error", 1)


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (InputError("rho", "be above 0", got=0, where="args", remedy="Fix."), 1, "rho must be above 0, got 0: args."),
        (RuntimeError("two\nlines"), 1, "two lines"),
        (OSError(errno.ENOSPC, "No space left on device"), 1, "No space left on device"),
        (ConnectionError("cannot log in to host:8003"), 2, "cannot log in"),
        (TimeoutError("still RUNNING after 9 s"), 3, "still RUNNING"),
    ],
)
def test_a_failure_is_one_line_on_standard_error_and_its_code(
    error: Exception,
    code: int,
    said: str,
    verb: str,
    place: Place,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    failing(monkeypatch, verb, error)
    assert main(place.words(verb)) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    chatter, line = captured.err.splitlines()
    assert chatter == "a library's chatter"
    assert line.startswith(f"error: {said}")
    assert main(place.words(verb, "--format", "json")) == code
    answer = json.loads(capsys.readouterr().out)
    assert (answer["schema_version"], answer["status"], answer["exit_code"]) == ("1", "error", code)
    assert answer["message"].startswith(said)
    assert isinstance(answer["data"], dict)


def test_no_file_below_a_given_folder_is_named(
    verb: str, place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failing(monkeypatch, verb, PermissionError(errno.EACCES, "Permission denied", str(place.data / SECRET)))
    assert main(place.words(verb)) == 1
    error = capsys.readouterr().err
    assert "Permission denied: a file" in error
    assert SECRET not in error


def test_ctrl_c_is_130_and_says_what_it_leaves(
    verb: str, place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failing(monkeypatch, verb, KeyboardInterrupt())
    assert main(place.words(verb)) == 130
    captured = capsys.readouterr()
    assert captured.out == ""
    line = captured.err.splitlines()[-1]
    assert line.startswith("interrupted; ")
    assert WORK[verb].leaves in line
    assert main(place.words(verb, "--format", "json")) == 130
    answer = json.loads(capsys.readouterr().out)
    assert (answer["status"], answer["exit_code"], answer["message"]) == ("error", 130, line)


def test_a_fault_of_ours_keeps_its_traceback_and_the_envelope(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failing(monkeypatch, "check", ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        main(place.words("check", "--format", "json"))
    answer = json.loads(capsys.readouterr().out)
    assert (answer["exit_code"], answer["message"]) == (1, "unexpected ZeroDivisionError")


def existing(verb: str) -> list[tuple[Words, argparse.Action]]:
    """The arguments of a verb that name a file or folder that must be there, with the words that lead to them."""
    kinds = (existing_file, existing_folder, existing_path)
    found = []
    for before, action in options_of(parser_of(VERBS[verb])):
        if action.type in kinds:
            found.append(((verb, *before, *action.option_strings[:1]), action))
        else:
            assert action.type is not Path or action.dest in OUTPUTS, f"{verb}: {action.dest} may be absent"
    return found


def test_a_file_or_folder_that_is_not_there_is_said_so(
    verb: str, place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    absent = place.out / "absent"
    for words, action in existing(verb):
        assert main([*words, str(absent)]) == 1
        error = capsys.readouterr().err
        assert f"not found: {absent}" in error, error
        assert error.count("\n") == 1
        if action.type is not existing_path:
            wrong, rule = (place.file, "a folder") if action.type is existing_folder else (place.data, "a file")
            assert main([*words, str(wrong)]) == 1
            assert f"must be {rule}, got a f" in capsys.readouterr().err
        right = place.data if action.type is existing_folder else place.file
        with monkeypatch.context() as patched:
            patched.setattr("admin.verbs.verb_parser.os.access", lambda *_: False)
            assert main([*words, str(right)]) == 1
        assert f"cannot be read: {right}. Check its permissions" in capsys.readouterr().err


def test_the_verbs_that_read_files_have_such_arguments() -> None:
    assert [verb for verb in VERBS if not existing(verb)] == ["demo", "vocabulary"]


def test_the_examples_in_the_help_are_command_lines_that_the_verb_takes(
    verb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_existing", lambda path, folder: path)
    examples = re.findall(
        rf"^ *python -m admin {verb} ?(.*?)(?:  .*)?$", parser_of(VERBS[verb]).description or "", re.M
    )
    assert examples
    for example in examples:
        parser_of(VERBS[verb]).parse_args(example.split())

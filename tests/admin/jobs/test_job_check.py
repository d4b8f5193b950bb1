from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from admin.__main__ import main
from admin.jobs import job_check as module
from admin.jobs.components import Component
from admin.jobs.job_check import check_job
from admin.jobs.package import package_job
from fedaid.errors import InputError


def change(job: Path, name: str, **args: Any) -> None:
    """Replace arguments of the workflow (server) or the executor (client)."""
    file = job / "app" / "config" / f"config_fed_{name}.json"
    config = json.loads(file.read_text())
    target = config["workflows"][0] if name == "server" else config["executors"][0]["executor"]
    target["args"].update(args)
    file.write_text(json.dumps(config))


@pytest.fixture
def own_job(trivial_job: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The trivial job, with its package taken for ours."""
    source = tmp_path / "source" / "trivial"
    shutil.copytree(trivial_job / "app" / "custom" / "trivial", source)
    monkeypatch.setattr(module, "PACKAGE", "trivial")
    monkeypatch.setattr(module, "SOURCE", source)
    return trivial_job


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({"draws": 199}, "draws must be at least 200, as the sites ask, got 199"),
        ({"level": 0.999}, r"level must be between 0\.8 and 0\.99, as the sites ask, got 0\.999"),
    ],
)
def test_intervals_that_every_site_would_refuse_are_refused_before_a_job_is_submitted(
    args: dict[str, Any], said: str, tmp_path: Path
) -> None:
    file = tmp_path / "job" / "app" / "config" / "config_fed_client.json"
    sound = Component("executor", "fedaid.x.Y", {"draws": 200, "level": 0.95}, file)
    module.require_wide_intervals([sound, Component("other", "fedaid.x.Z", {}, file)])
    with pytest.raises(InputError, match=said):
        module.require_wide_intervals([sound, Component("executor", "fedaid.x.Y", sound.args | args, file)])


def test_a_sound_job_tells_how_many_class_paths_it_has(own_job: Path) -> None:
    assert check_job(own_job) == 2


def test_an_unknown_argument_is_refused(trivial_job: Path) -> None:
    change(trivial_job, "server", num_round=3)
    with pytest.raises(InputError, match=r"TrivialController takes, got num_round.*Did you mean num_rounds"):
        check_job(trivial_job)


def test_our_own_components_are_constructed(own_job: Path) -> None:
    change(own_job, "client", seconds=-1)
    with pytest.raises(InputError, match="seconds must not be negative"):
        check_job(own_job)


@pytest.mark.parametrize(
    ("side", "change_to", "line"),
    [
        ("server", {"selection_metric": "worst_accuracy"}, "selection_metric must be one of worst_loss, "),
        ("server", {"selection_metric": "cvar_loss", "selection_share": 0}, "selection_share must be in (0, 1], got 0"),
        ("client", {"report_student_loss": False}, "student loss must be reported by the sites, got report_student_l"),
    ],
)
def test_a_metric_that_the_sites_cannot_report_is_refused_before_a_job_is_submitted(
    side: str, change_to: dict[str, Any], line: str, tmp_path: Path
) -> None:
    job = package_job("fedaid_pretrain", out=tmp_path)
    change(job, side, **change_to)
    with pytest.raises(InputError) as refusal:
        check_job(job)
    assert str(refusal.value).startswith(line)
    assert "\n" not in str(refusal.value)


def test_components_of_others_are_not_constructed(trivial_job: Path) -> None:
    change(trivial_job, "client", seconds=-1)
    assert check_job(trivial_job) == 2


def test_a_class_that_is_not_shipped_is_refused(trivial_job: Path) -> None:
    (trivial_job / "app" / "custom" / "trivial" / "executor.py").unlink()
    with pytest.raises(InputError, match="path of TrivialExecutor must name a class that can be imported"):
        check_job(trivial_job)


def test_a_module_of_ours_that_is_missing_is_refused(own_job: Path) -> None:
    (own_job / "app" / "custom" / "trivial" / "controller.py").unlink()
    with pytest.raises(InputError, match=r"1 files that differ, the first controller\.py"):
        check_job(own_job)


def test_a_module_of_ours_that_was_edited_in_the_package_is_refused(own_job: Path) -> None:
    with (own_job / "app" / "custom" / "trivial" / "controller.py").open("a") as file:
        file.write("# edited\n")
    with pytest.raises(InputError, match="Package the job again"):
        check_job(own_job)


def test_a_job_that_states_the_code_of_another_version_is_refused(own_job: Path) -> None:
    meta = own_job / "meta.json"
    meta.write_text(json.dumps(json.loads(meta.read_text()) | {"custom_props": {"fedaid_code": "7" * 64}}))
    with pytest.raises(InputError, match=r"^fedaid_code must be that of custom/trivial, .*, got 777777777777: "):
        check_job(own_job)


def test_what_flares_console_signs_in_place_does_not_matter(own_job: Path) -> None:
    (own_job / "app" / "custom" / "trivial" / ".__nvfl_sig.json").write_text("{}")
    assert check_job(own_job) == 2


@pytest.mark.parametrize("least", [0, -1, "2", 2.5, True, None])
def test_a_min_clients_that_is_no_whole_number_from_1_is_refused(trivial_job: Path, least: object) -> None:
    meta = json.loads((trivial_job / "meta.json").read_text())
    (trivial_job / "meta.json").write_text(json.dumps(meta | {"min_clients": least}))
    with pytest.raises(InputError, match=r"min_clients must be a whole number from 1, got .*: trivial/meta.json"):
        check_job(trivial_job)


def test_a_link_is_refused(trivial_job: Path, tmp_path: Path) -> None:
    (trivial_job / "app" / "custom" / "more").symlink_to(tmp_path)
    with pytest.raises(InputError, match="hold no symbolic link"):
        check_job(trivial_job)


def test_checking_leaves_path_and_modules_as_they_were(trivial_job: Path) -> None:
    before = list(sys.path)
    check_job(trivial_job)
    assert sys.path == before
    assert "trivial.controller" not in sys.modules


def test_checking_leaves_no_compiled_files_in_the_job(trivial_job: Path) -> None:
    before = sorted(trivial_job.rglob("*"))
    check_job(trivial_job)
    assert sorted(trivial_job.rglob("*")) == before


def test_the_command_tells_the_result_by_its_exit_code(trivial_job: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(trivial_job)]) == 0
    assert "sound: 2 class paths" in capsys.readouterr().out
    assert main(["check", str(trivial_job / "app")]) == 1
    assert "error: job file must be readable JSON" in capsys.readouterr().err

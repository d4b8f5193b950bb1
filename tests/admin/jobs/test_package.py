from __future__ import annotations

import inspect
import json
import shutil
from pathlib import Path

import pytest

from admin.__main__ import main
from admin.jobs.job_check import check_job
from admin.jobs.package import JOBS, SOURCE, package_job
from admin.jobs.settings import settable
from fedaid.errors import InputError
from fedaid.flare.server.controller import FedAIDController
from fedaid.models.dual_encoder import DualEncoder
from fedaid.package_hash import STATED, code_hash
from fedaid.training.settings import TrainingSettings
from fedaid.version import VERSION


def test_the_package_carries_every_module_of_ours_and_nothing_compiled(source_jobs: Path, tmp_path: Path) -> None:
    job = package_job("trivial", out=tmp_path / "out", jobs=source_jobs)
    shipped = {file.relative_to(job / "app/custom/fedaid") for file in (job / "app/custom/fedaid").rglob("*.*")}
    assert {file.relative_to(SOURCE) for file in SOURCE.rglob("*.py")} <= shipped
    assert not list(job.rglob("__pycache__"))
    assert not list(job.rglob("*.pyc"))


def test_settings_are_written_into_the_package_only(source_jobs: Path, tmp_path: Path) -> None:
    source = (source_jobs / "trivial/app/config/config_fed_server.json").read_text()
    job = package_job("trivial", out=tmp_path / "out", jobs=source_jobs, settings={"num_rounds": 9})
    packaged = json.loads((job / "app/config/config_fed_server.json").read_text())
    assert packaged["workflows"][0]["args"]["num_rounds"] == 9
    assert (source_jobs / "trivial/app/config/config_fed_server.json").read_text() == source


def test_a_renamed_job_has_the_new_name_as_folder_and_in_its_meta_file(source_jobs: Path, tmp_path: Path) -> None:
    job = package_job("trivial", out=tmp_path / "out", jobs=source_jobs, rename="trial-2")
    assert (job.name, json.loads((job / "meta.json").read_text())["name"]) == ("trial-2", "trial-2")


def test_a_job_without_code_has_configuration_only_and_passes_the_check(tmp_path: Path) -> None:
    with_code = package_job("fedaid_pretrain", out=tmp_path / "with", run_name="x")
    job = package_job("fedaid_pretrain", out=tmp_path / "without", run_name="x", code=False)
    files = {path.relative_to(job) for path in job.rglob("*") if path.is_file()}
    assert {str(file) for file in files} == {
        "meta.json",
        "README.md",
        "app/config/config_fed_server.json",
        "app/config/config_fed_client.json",
    }
    for file in files - {Path("meta.json")}:
        assert (job / file).read_bytes() == (with_code / file).read_bytes()
    assert json.loads((job / "meta.json").read_text())["custom_props"]["fedaid_code_installed"] is True
    assert check_job(job) > 8
    (job / "app" / "custom").mkdir()
    with pytest.raises(InputError, match="job without code must have no folder custom"):
        check_job(job)


def test_a_job_that_lost_its_code_is_refused(tmp_path: Path) -> None:
    job = package_job("local_pretrain", out=tmp_path)
    shutil.rmtree(job / "app" / "custom")
    with pytest.raises(InputError, match="custom/fedaid must equal the project's package"):
        check_job(job)


def test_a_job_without_code_states_which_code_it_needs(tmp_path: Path) -> None:
    job = package_job("local_pretrain", out=tmp_path, code=False)
    meta = json.loads((job / "meta.json").read_text())
    del meta["custom_props"]["fedaid_code"]
    (job / "meta.json").write_text(json.dumps(meta))
    with pytest.raises(InputError, match="fedaid_code must be that of custom/fedaid"):
        check_job(job)


def test_a_packaged_job_names_the_version_and_keeps_its_other_properties(source_jobs: Path, tmp_path: Path) -> None:
    meta = source_jobs / "trivial" / "meta.json"
    meta.write_text(json.dumps(json.loads(meta.read_text()) | {"custom_props": {"study": "pilot"}}))
    job = package_job("trivial", out=tmp_path / "out", jobs=source_jobs)
    found = json.loads((job / "meta.json").read_text())["custom_props"]
    assert found == {"study": "pilot", "fedaid_version": VERSION, "fedaid_code": code_hash()[:STATED]}


def test_a_former_package_is_replaced(source_jobs: Path, tmp_path: Path) -> None:
    job = package_job("trivial", out=tmp_path, jobs=source_jobs)
    (job / "left_over.txt").touch()
    package_job("trivial", out=tmp_path, jobs=source_jobs)
    assert not (job / "left_over.txt").exists()


def test_an_unsound_job_leaves_the_former_package(source_jobs: Path, tmp_path: Path) -> None:
    job = package_job("trivial", out=tmp_path / "out", jobs=source_jobs)
    before = (job / "meta.json").read_bytes()
    with pytest.raises(InputError):
        package_job("trivial", out=tmp_path / "out", jobs=source_jobs, settings={"min_clients": 0})
    assert (job / "meta.json").read_bytes() == before
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["trivial"]


def test_a_folder_that_is_no_job_is_not_replaced(source_jobs: Path, tmp_path: Path) -> None:
    (tmp_path / "out" / "trivial").mkdir(parents=True)
    (tmp_path / "out" / "trivial" / "thesis.tex").touch()
    with pytest.raises(InputError, match=r"job folder must not exist or hold a job's meta.json, got trivial"):
        package_job("trivial", out=tmp_path / "out", jobs=source_jobs)


def test_a_link_in_the_source_is_refused(source_jobs: Path, tmp_path: Path) -> None:
    (source_jobs / "trivial/app/custom/more").symlink_to(SOURCE)
    with pytest.raises(InputError, match="hold no symbolic link"):
        package_job("trivial", out=tmp_path / "out", jobs=source_jobs)


def test_an_unknown_job_is_refused_with_the_list(source_jobs: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Choose one of trivial"):
        package_job("trivia", out=tmp_path, jobs=source_jobs)


def test_the_command_packages_with_settings(
    source_jobs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["trivial", "--jobs", str(source_jobs), "--out", str(tmp_path / "out"), "--set", "min_clients=3"]
    assert main(["package", *words]) == 0
    job = Path(capsys.readouterr().out.strip())
    assert json.loads((job / "meta.json").read_text())["min_clients"] == 3


def test_the_command_lists_what_can_be_set(source_jobs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["package", "trivial", "--jobs", str(source_jobs), "--list"]) == 0
    assert "rounds.num_rounds = 3" in capsys.readouterr().out.splitlines()


def test_the_command_refuses_in_one_line(source_jobs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["package", "trivial", "--jobs", str(source_jobs), "--set", "rounds=3"]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_without_a_job_the_jobs_are_listed_or_asked_for(source_jobs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["package", "--jobs", str(source_jobs), "--list"]) == 0
    assert capsys.readouterr().out == "trivial\n"
    assert main(["package", "--jobs", str(source_jobs)]) == 1
    assert capsys.readouterr().err == "error: JOB is missing. Choose one of trivial\n"


def test_the_command_lists_the_methods_that_can_be_packaged(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["package", "--list-methods"]) == 0
    names = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert names[0] == "fedavg"
    assert not {"local", "pooled"} & set(names)


def test_the_command_puts_a_method_upon_the_job_and_the_settings_upon_that(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["fedaid_pretrain", "--out", str(tmp_path), "--method", "fedavgm", "--set", "server_momentum=0.5"]
    assert main(["package", *words]) == 0
    made = settable(Path(capsys.readouterr().out.strip()))
    assert (made["fedaid.server_optimizer"], made["fedaid.server_momentum"]) == ("momentum", 0.5)
    assert (made["fedaid.alignment_phase"], made["executor.pretrain_steps"]) == (False, 50)


@pytest.mark.parametrize(
    ("setting", "line"),
    [
        ("selection_metric=worst_accuracy", "error: selection_metric must be one of worst_loss, "),
        ("selection_share=1.5", "error: selection_share must be in (0, 1], got 1.5: "),
        (
            "report_student_loss=false",
            "error: student loss must be reported by the sites, got report_student_loss false: ",
        ),
    ],
)
def test_a_metric_that_the_sites_cannot_report_is_refused_at_packaging_in_one_line(
    setting: str, line: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["package", "fedaid_pretrain", "--out", str(tmp_path), "--set", setting]) == 1
    (said,) = capsys.readouterr().err.splitlines()
    assert said.startswith(line)


@pytest.mark.slow
def test_every_job_of_the_project_packages(tmp_path: Path) -> None:
    names = [meta.parent.name for meta in sorted(JOBS.glob("*/meta.json"))]
    assert names == ["evaluate_global", "fedaid_pretrain", "fedavg_pretrain", "local_pretrain"]
    trained = [name for name in names if name.endswith("_pretrain")]
    assert [package_job(name, out=tmp_path).name for name in trained] == trained


@pytest.mark.parametrize("job", ["fedaid_pretrain", "fedavg_pretrain"])
def test_every_setting_of_our_components_can_be_set(job: str) -> None:
    present = {name.rpartition(".")[2] for name in settable(JOBS / job)}
    wiring = {"aggregator_id", "persistor_id", "shareable_generator_id", "model"}
    for kind in (FedAIDController, TrainingSettings, DualEncoder):
        assert set(inspect.signature(kind).parameters) - wiring - present == set(), kind.__name__


def test_a_run_gets_a_name_of_its_own_unless_it_is_named(tmp_path: Path) -> None:
    def run_name(**given: str) -> str:
        job = package_job("fedaid_pretrain", out=tmp_path, rename="pilot", **given)  # type: ignore[arg-type]
        return str(settable(job)["fedaid.run_name"])

    first, second = run_name(), run_name()
    assert first != second
    assert first.startswith("pilot-2")
    assert run_name(run_name="autumn") == "autumn"


def test_a_job_whose_run_cannot_be_continued_takes_no_run_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--run-name must be left out for this job, got autumn: local_pretrain"):
        package_job("local_pretrain", out=tmp_path, run_name="autumn")


def test_package_takes_the_run_and_the_sites_that_left_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--run-name", "autumn", "--without", "oak", "elm", "--set", "attempt=2", "--out", str(tmp_path)]
    assert main(["package", "fedaid_pretrain", *words]) == 0
    found = settable(Path(capsys.readouterr().out.strip()))
    assert (found["fedaid.run_name"], found["fedaid.attempt"], found["fedaid.without"]) == ("autumn", 2, ["oak", "elm"])

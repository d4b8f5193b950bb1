from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import pytest

from admin.__main__ import main
from admin.federation.kit_process import THREADS, family
from admin.federation.simulate import run, simulate
from fedaid.errors import InputError

SITES = ["hospital-a", "hospital_b"]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder with one folder for every site."""
    for site in SITES:
        (tmp_path / "data" / site).mkdir(parents=True)
    return tmp_path / "data"


def test_a_site_without_data_is_refused(trivial_job: Path, data: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"data must have a folder for every site, got \['other'\] without one"):
        simulate(trivial_job, workspace=tmp_path / "w", sites=[*SITES, "other"], data=data)


def test_a_workspace_that_is_no_simulations_is_not_deleted(trivial_job: Path, data: Path, tmp_path: Path) -> None:
    (tmp_path / "w").mkdir()
    (tmp_path / "w" / "thesis.tex").touch()
    with pytest.raises(InputError, match="workspace must be a simulation's"):
        simulate(trivial_job, workspace=tmp_path / "w", sites=SITES, data=data)
    assert (tmp_path / "w" / "thesis.tex").exists()


def test_an_unsound_job_is_refused(trivial_job: Path, data: Path, tmp_path: Path) -> None:
    (trivial_job / "app/custom/trivial/executor.py").unlink()
    with pytest.raises(InputError, match="path of TrivialExecutor"):
        simulate(trivial_job, workspace=tmp_path / "w", sites=SITES, data=data)


def test_the_time_limit_ends_processes_that_left_the_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("admin.federation.simulate.new_mark", lambda: f"mark of {tmp_path}")
    script = "import subprocess, time; subprocess.Popen(['sleep', '60'], start_new_session=True); time.sleep(60)"
    started = time.monotonic()
    (tmp_path / "console").touch()
    assert run([sys.executable, "-c", script], console=tmp_path / "console", data=tmp_path, timeout=1.0) is None
    assert time.monotonic() - started < 10
    assert family([], mark=f"mark of {tmp_path}") == set()


def test_a_program_learns_where_the_data_of_its_site_lie(tmp_path: Path) -> None:
    console = tmp_path / "console"
    console.touch()
    script = "import os; print(os.environ['FEDAID_DATA'])"
    assert run([sys.executable, "-c", script], console=console, data=tmp_path / "data", timeout=20) == 0
    assert console.read_text() == f"{tmp_path}/data/{{site}}\n"


@pytest.mark.parametrize(("at_a_time", "shared"), [(None, 2), (1, 1)])
def test_the_sites_that_work_at_the_same_time_share_the_cores(
    at_a_time: int | None, shared: int, trivial_job: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[int] = []
    monkeypatch.setattr("admin.federation.simulate.site_threads", lambda sites: 10 + sites)
    monkeypatch.setattr("admin.federation.simulate.run_logged", lambda *_, threads, **__: given.append(threads) or 1)
    with pytest.raises(RuntimeError, match="the simulation failed"):
        simulate(trivial_job, workspace=tmp_path / "w", sites=SITES, data=data, threads=at_a_time)
    assert given == [10 + shared]


def test_a_program_gets_its_threads(tmp_path: Path) -> None:
    console = tmp_path / "console"
    console.touch()
    script = f"import os; print(os.environ['{THREADS}'])"
    assert run([sys.executable, "-c", script], console=console, data=tmp_path, timeout=20, threads=3) == 0
    assert console.read_text() == "3\n"


@pytest.mark.slow
def test_a_simulation_returns_the_servers_run_folder(trivial_job: Path, data: Path, tmp_path: Path) -> None:
    folder = simulate(trivial_job, workspace=tmp_path / "w", sites=SITES, data=data, timeout=120)
    assert folder == tmp_path / "w" / "server" / "simulate_job" / "app_server"
    written = json.loads((folder / "losses.json").read_text())
    assert set(written["losses"]) == set(SITES)
    assert set(written["roots"].values()) == {f"{data}/{{site}}"}


@pytest.mark.slow
def test_a_simulation_that_fails_says_why_and_points_to_its_log(trivial_job: Path, data: Path, tmp_path: Path) -> None:
    file = trivial_job / "app/custom/trivial/controller.py"
    file.write_text(file.read_text().replace("folder = Path(", "raise RuntimeError; folder = Path("))
    with pytest.raises(RuntimeError, match=r"the simulation failed: .*RuntimeError.*\(see .*/w/console\.txt\)"):
        simulate(trivial_job, workspace=tmp_path / "w", sites=SITES, data=data, timeout=120)
    assert "RuntimeError" in (tmp_path / "w" / "console.txt").read_text()


@pytest.mark.slow
def test_the_command_ends_a_simulation_that_takes_too_long_with_3(
    trivial_job: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [str(trivial_job), "--sites", *SITES, "--data", str(data), "--workspace", str(tmp_path / "w")]
    assert main(["simulate", *words, "--timeout", "5"]) == 3
    assert "the simulation was ended after 5 s" in capsys.readouterr().err

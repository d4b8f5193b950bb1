"""The files of admin/deploy, as FLARE's own commands and loaders read them."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import pytest
import yaml
from nvflare.app_opt.job_launcher.study_runtime import load_study_runtime_file, resolve_study_runtime

from admin.federation.provision import provision
from fedaid.data.site import data_root
from fedaid.flare.store.run_folder import run_folder
from fedaid.flare.transport.exception_texts import VARIABLE as SECURE_LOGGING
from hospital_policy.site_record import VARIABLE as POLICY_RECORD

DEPLOY = Path("admin/deploy")
UNITS = ["fedaid-server.service", "fedaid-site.service"]
LAUNCHERS = {
    "docker": "nvflare.app_opt.job_launcher.docker_launcher.ClientDockerJobLauncher",
    "k8s": "nvflare.app_opt.job_launcher.k8s_launcher.ClientK8sJobLauncher",
    "slurm": "nvflare.app_opt.job_launcher.slurm.ClientSlurmJobLauncher",
}


@pytest.fixture(scope="module")
def kits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kits")
    return provision(Path("admin/project.yml"), out=folder / "out", home=folder / "home")


def prepared(kit: Path, runtime: str, out: Path) -> Path:
    command = ["-m", "nvflare.cli", "deploy", "prepare", str(kit), "--output", str(out)]
    words = [sys.executable, *command, "--config", str(DEPLOY / f"{runtime}.yaml")]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return out


@pytest.mark.parametrize("runtime", LAUNCHERS)
def test_flare_prepares_a_kit_that_starts_jobs_by_this_launcher(runtime: str, kits: Path, tmp_path: Path) -> None:
    kit = prepared(kits / "hospital-north", runtime, tmp_path / runtime)
    resources = json.loads((kit / "local" / "resources.json.default").read_text())
    paths = [component["path"] for component in resources["components"]]
    assert LAUNCHERS[runtime] in paths
    assert not any("ProcessJobLauncher" in path for path in paths)
    assert resources["allow_log_streaming"] is False


def parsed(kit: Path, mode: str, **content: Any) -> Any:
    """The site's settings for jobs of the default study, as FLARE's launcher reads them."""
    file = kit / "study_runtime.yaml"
    shipped = yaml.safe_load((DEPLOY / "study_runtime.yaml").read_text())
    shipped["studies"]["default"] |= content
    file.write_text(yaml.safe_dump(shipped))
    return resolve_study_runtime(load_study_runtime_file(str(file), launcher_mode=mode), "default", str(file))


@pytest.mark.parametrize("mode", ["docker", "k8s"])
def test_a_jobs_container_finds_data_runs_and_the_policys_record_in_mounts(mode: str, tmp_path: Path) -> None:
    runtime = parsed(tmp_path, mode)
    mounts = {mount.mount_path: mount.mode for mount in runtime.datasets}
    data = data_root("hospital-north", tmp_path, runtime.env)
    assert mounts[str(data)] == "ro"
    environ = {"FEDAID_RUN_STORE": f"{tmp_path}{runtime.env['FEDAID_RUN_STORE']}"}
    (tmp_path / "data" / "default").mkdir(parents=True)
    run = run_folder("pilot", tmp_path, tmp_path, environ, machine="hospital-north")
    assert mounts[f"/{run.parent.relative_to(tmp_path)}"] == "rw"
    assert mounts[str(Path(runtime.env[POLICY_RECORD]).parent)] == "rw"
    assert runtime.env[SECURE_LOGGING] == "true"


@pytest.mark.parametrize("unit", UNITS)
def test_a_unit_runs_a_script_of_the_kit_and_may_write_there(unit: str, kits: Path) -> None:
    parser = ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string((DEPLOY / unit).read_text())
    service, root = parser["Service"], Path("/srv/fedaid/kit")
    _, script, option = shlex.split(service["ExecStart"])
    text = (kits / "hospital-north" / Path(script).relative_to(root)).read_text()
    # One start, so that systemd restarts it, and no number of a process from before a power cut stands in its way.
    assert re.search(r'doOnce" == "true" .*?rm -f "\$WORKSPACE/pid\.fl".*?start_python', text, flags=re.DOTALL)
    assert f"    {option})" in text
    assert service["Restart"] == "on-failure"
    assert int(parser["Unit"]["StartLimitBurst"]) * int(service["RestartSec"]) <= 30 * 60
    assert service["ReadWritePaths"].split() == [str(root), "-/srv/fedaid/runs"]


def test_the_image_holds_the_pinned_libraries_and_hides_texts_of_exceptions() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    assert re.search(r"pip install -r /tmp/requirements.txt -c /tmp/constraints.txt", text)
    assert f"{SECURE_LOGGING}=true" in text
    assert re.search(r"^USER 10001$", text, flags=re.MULTILINE)
    assert not re.search(r"^(ADD|COPY) (?!requirements.txt constraints.txt )", text, flags=re.MULTILINE)

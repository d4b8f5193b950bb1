from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from admin.jobs.code_wheel import CodeWheel, build_wheel, classes_of_jobs, install_wheel
from fedaid.package_hash import code_hash
from fedaid.version import VERSION

WITHOUT_NETWORK = """
import pkgutil, socket, sys
def refuse(*words, **more): raise OSError("network")
socket.socket.connect = refuse
import importlib, fedaid
from fedaid.package_hash import code_hash
importlib.import_module("fedaid.flare.site.executor")
print(fedaid.__file__, code_hash())
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> CodeWheel:
    return build_wheel(tmp_path_factory.mktemp("wheel"))


def test_the_wheel_has_version_and_hash(wheel: CodeWheel) -> None:
    assert wheel.file.name == f"fedaid-{VERSION}-py3-none-any.whl"
    assert wheel.code == code_hash()
    with zipfile.ZipFile(wheel.file) as archive:
        roots = {name.split("/")[0] for name in archive.namelist()}
        (metadata,) = (archive.read(name).decode() for name in archive.namelist() if name.endswith("METADATA"))
    assert roots == {"fedaid", f"fedaid-{VERSION}.dist-info"}
    assert not re.search(r"^Requires-Dist", metadata, re.MULTILINE)


def test_equal_code_gives_an_equal_wheel(wheel: CodeWheel, tmp_path: Path) -> None:
    assert build_wheel(tmp_path).sha256 == wheel.sha256


def test_an_installed_wheel_reports_the_hash_of_a_jobs_copy_and_is_imported_without_network(
    wheel: CodeWheel, tmp_path: Path
) -> None:
    install_wheel(wheel.file, tmp_path)
    install_wheel(wheel.file, tmp_path)  # again: in place of the former one
    command = [sys.executable, "-c", WITHOUT_NETWORK]
    done = subprocess.run(command, capture_output=True, text=True, env={"PYTHONPATH": str(tmp_path)}, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [str(tmp_path / "fedaid" / "__init__.py"), code_hash()]


def test_a_file_that_is_no_wheel_is_refused(tmp_path: Path) -> None:
    (tmp_path / "fedaid-1.0-py3-none-any.whl").write_bytes(b"no archive")
    with pytest.raises(RuntimeError, match="pip install failed"):
        install_wheel(tmp_path / "fedaid-1.0-py3-none-any.whl", tmp_path / "custom")


def test_the_classes_of_the_jobs_are_listed_one_by_one() -> None:
    found = classes_of_jobs()
    assert "fedaid.flare.server.controller.FedAIDController" in found
    assert "fedaid.models.dual_encoder.DualEncoder" in found
    assert "fedaid.flare.wire.uplink.UpdateEncoder" in found
    assert not [path for path in found if path.endswith(".")]
    assert len(found) > 12

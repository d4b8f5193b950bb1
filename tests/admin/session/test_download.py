from __future__ import annotations

from pathlib import Path

import pytest
from nvflare.fuel.flare_api.api_spec import JobNotDone

from admin.session.download import download
from fedaid.errors import InputError


class Server:
    """Refuses ``busy`` times, then sends a result with or without a workspace."""

    def __init__(self, busy: int = 0, *, workspace: bool = True) -> None:
        self.busy, self.workspace, self.asked = busy, workspace, 0

    def download_job_result(self, job_id: str, destination: str) -> str:
        self.asked += 1
        if self.asked <= self.busy:
            raise JobNotDone(job_id)
        print("FLARE's chatter")
        folder = Path(destination) / job_id
        (folder / "workspace" if self.workspace else folder).mkdir(parents=True)
        return str(folder)


def test_the_folder_that_holds_the_workspace_is_returned(tmp_path: Path) -> None:
    assert (download(Server(), "id", tmp_path) / "workspace").is_dir()


def test_a_server_that_still_says_running_is_asked_again(tmp_path: Path) -> None:
    server = Server(busy=1)
    download(server, "id", tmp_path)
    assert server.asked == 2


def test_a_job_that_really_runs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(JobNotDone):
        download(Server(busy=99), "id", tmp_path, patience=0.0)


def test_an_earlier_download_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "id").mkdir()
    with pytest.raises(InputError, match="not hold this result yet"):
        download(Server(), "id", tmp_path)


def test_a_result_without_workspace_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="no workspace for job id"):
        download(Server(workspace=False), "id", tmp_path)


def test_stdout_stays_clean(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    download(Server(), "id", tmp_path)
    assert capsys.readouterr().out == ""

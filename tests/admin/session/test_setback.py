from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from nvflare.fuel.flare_api.api_spec import AuthorizationError

from admin.session.setback import MEANING, is_whole, reason_of
from fedaid.sealed_folder import seal
from tests.admin.results_folder import write_run

FAILED = "FINISHED:EXECUTION_EXCEPTION"


def server(found: str | Exception) -> Any:
    """A session whose server's log has these lines, or refuses to show them."""

    def grep_target(*words: Any) -> str:
        if isinstance(found, Exception):
            raise found
        return found

    return SimpleNamespace(grep_target=grep_target)


def test_our_own_message_comes_first(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    log.write_text("x FATAL_SYSTEM_ERROR received: site lake could not work: out of memory\n")
    found = server("Failing job id due to reported failure from lake: exception")
    assert reason_of(found, "id", status=FAILED, log=log) == "site lake could not work: out of memory"


def test_the_site_is_named_by_flares_log(tmp_path: Path) -> None:
    found = server("1 - Failing job id due to reported failure from north-clinic: exception\n")
    assert reason_of(found, "id", status=FAILED, log=tmp_path / "none") == (
        "the process of site north-clinic ended: exception"
    )


def test_the_servers_process_ended_if_no_site_reported_its_own(tmp_path: Path) -> None:
    found = "started run for job: id\nthe process of job id finished\n"
    said = reason_of(server(found), "id", status=FAILED, log=tmp_path / "none")
    assert said == "its process at the server was killed or failed"
    assert reason_of(server(found), "id", status="FINISHED:FAILED_TO_RUN", log=tmp_path / "none") == (
        "the sites could not start the job"
    )


@pytest.mark.parametrize("found", ["", AuthorizationError("no")])
def test_else_the_status_is_put_in_words(found: str | Exception, tmp_path: Path) -> None:
    assert reason_of(server(found), "id", status=FAILED, log=tmp_path / "none") == MEANING[FAILED]
    assert reason_of(server(found), "id", status="FINISHED:NEW", log=tmp_path / "none") == "FINISHED:NEW"


def test_a_run_folder_is_whole_if_its_model_is_as_it_was_written(tmp_path: Path) -> None:
    run = write_run(tmp_path)
    model = run / "app_server" / "fedaid" / "best-00002"
    seal(model)
    assert is_whole(run, rounds=2)
    assert not is_whole(run, rounds=3)
    (model / "config.json").write_text("{ }")
    assert not is_whole(run, rounds=2)


def test_a_folder_without_results_is_not_whole(tmp_path: Path) -> None:
    assert not is_whole(tmp_path, rounds=0)
    (tmp_path / "app_server").mkdir()
    assert not is_whole(tmp_path, rounds=0)

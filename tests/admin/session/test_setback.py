from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from nvflare.fuel.flare_api.api_spec import AuthorizationError

from admin.session.setback import AT_SITE, MEANING, Setback, is_whole, setback_of
from fedaid.flare.store.stop_note import INPUT, StopNote, write_stop
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
    assert setback_of(found, "id", status=FAILED, folder=tmp_path) == Setback("site lake could not work: out of memory")
    app = tmp_path / "app_server"
    app.mkdir()
    write_stop(app, StopNote(INPUT, "rho must be above 0, got 0:\n  args. Fix."))
    assert setback_of(found, "id", status=FAILED, folder=tmp_path) == Setback(
        "rho must be above 0, got 0: args. Fix", lasting=True
    )


def test_the_site_is_named_by_flares_log(tmp_path: Path) -> None:
    reports = {
        "exception": Setback("the process of site north-clinic was killed, or ended with an error"),
        "config error": Setback(AT_SITE["config error"][0].format(site="north-clinic"), lasting=True),
        "infrastructure error": Setback(AT_SITE["infrastructure error"][0].format(site="north-clinic"), starting=True),
        "new": Setback("the process of site north-clinic ended: new"),
    }
    for reason, expected in reports.items():
        found = server(f"1 - Failing job id due to reported failure from north-clinic: {reason}\n")
        assert setback_of(found, "id", status=FAILED, folder=tmp_path) == expected


def test_a_site_behind_a_relay_is_named_and_not_the_relay(tmp_path: Path) -> None:
    found = server("Failing job id due to reported failure from relay-one.lake: exception\n")
    expected = Setback("the process of site lake was killed, or ended with an error")
    assert setback_of(found, "id", status=FAILED, folder=tmp_path) == expected


def test_a_component_that_the_server_cannot_build_is_lasting(tmp_path: Path) -> None:
    line = "FL server execution exception: ConfigError: x, exception: 'InputError: rho must be above 0. Fix.'\n"
    (tmp_path / "log.txt").write_text(line)
    expected = Setback("the server cannot build the job: rho must be above 0. Fix", lasting=True)
    assert setback_of(server(""), "id", status=FAILED, folder=tmp_path) == expected


@pytest.mark.parametrize(
    ("details", "expected"),
    [
        (
            ["server: OK", "lake: BYOC not permitted", "num_ok_sites 1 < required_min_sites 2"],
            Setback("the job was not taken by lake: BYOC not permitted", lasting=True),
        ),
        (
            ["server: OK", "lake: OK", "north: no reply (deployment timeout)", "num_ok_sites 1 < required_min_sites 2"],
            Setback("site north did not answer in time when the server gave it the job"),
        ),
        (["invalid_clients: lake"], Setback("the sites could not start the job")),
        (None, Setback("the sites could not start the job")),
    ],
)
def test_a_machine_that_refused_the_job_is_named(tmp_path: Path, details: Any, expected: Setback) -> None:
    found = server("")
    found.get_job_meta = lambda job_id: {"job_deploy_detail": details}
    assert setback_of(found, "id", status="FINISHED:FAILED_TO_RUN", folder=tmp_path) == expected


def test_the_servers_process_ended_if_no_site_reported_its_own(tmp_path: Path) -> None:
    found = "started run for job: id\nJob: id child process exit with return code 1\n"
    said = setback_of(server(found), "id", status=FAILED, folder=tmp_path)
    assert said == Setback("its process at the server was killed or failed")
    stopped = setback_of(server("Fired event for job: id\n"), "id", status=FAILED, folder=tmp_path)
    assert stopped.text.startswith("its controller stopped it")


@pytest.mark.parametrize("found", ["", AuthorizationError("no")])
def test_else_the_status_is_put_in_words(found: str | Exception, tmp_path: Path) -> None:
    assert setback_of(server(found), "id", status=FAILED, folder=tmp_path).text == MEANING[FAILED]
    assert setback_of(server(found), "id", status="FINISHED:NEW", folder=tmp_path).text == "FINISHED:NEW"


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

"""Every planted fault is found, by the name of its check, and nothing else is."""

from __future__ import annotations

import json
import os
import shutil
import socket
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from admin.__main__ import main
from admin.federation.kits.signed_files import sign_kits
from admin.federation.kits.startup_kit import open_kit
from admin.jobs.cost import model_size
from admin.jobs.memory.job_memory import job_memory
from admin.jobs.settings import model_configuration, values_by_name
from admin.session.kit_check import SHARED_STORE, own_store, refusal
from admin.site.kit.checks import machine_checks, network_checks, site_data_checks, storage_checks
from admin.site.kit.kit_examination import KIT_CHECKS, KitResult, examine_kit
from admin.site.kit.kit_finding import ExaminedKit
from admin.site.kit.machine_needs import needs_of
from admin.site.policy.installed_policy import install
from fedaid.errors import InputError
from hospital_policy.rules import Rules
from tests.admin.federation.made_certificates import Made, made
from tests.admin.site.kit.kit_fault import KitFault
from tests.admin.site.kit.kit_world import SITE, VERDICT, World, connect_to, data_folder
from tests.admin.site.kit.planted_identity_faults import IDENTITY_FAULTS
from tests.admin.site.kit.planted_network_faults import NETWORK_FAULTS
from tests.admin.site.kit.planted_setting_faults import SETTING_FAULTS
from tests.admin.site.kit.tls_server import serving

NO_START = {
    *("certificate-unreadable", "certificate-expired", "certificate-not-yet-valid", "certificate-name"),
    *("certificate-self-signed", "certificate-signer", "authority-not-valid", "key-mismatch"),
}
FAULTS = (*IDENTITY_FAULTS, *NETWORK_FAULTS, *SETTING_FAULTS)


def fired(results: list[KitResult]) -> set[str]:
    """The checks that found an error or a warning."""
    return {one.check.name for one in results if one.places and one.check.severity != "note"}


@pytest.mark.parametrize("kit", [SITE, "fl-server", "lead@consortium.org"])
def test_kits_that_are_set_up_give_notes_only(world: World, kit: str) -> None:
    results = examine_kit(world.kits / kit, environ=world.environ)
    assert fired(results) == set()
    assert len(results) > 25
    asked = {one.check.name for one in results if not one.unchecked}
    assert {"certificate-expired", "package-version", "key-mismatch"} <= asked
    assert kit == "fl-server" or "clock-skew" in asked


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_planted_fault_is_found_by_name(world: World, fault: KitFault, monkeypatch: pytest.MonkeyPatch) -> None:
    fault.plant(world, monkeypatch)
    if not fault.after_signing:
        world.sign()
    results = examine_kit(world.kits / fault.kit, environ=world.environ)
    assert fired(results) == {fault.check, *fault.also}
    assert not refusal(world.kits / fault.kit) or fired(results) & NO_START
    found = next(one for one in results if one.check.name == fault.check)
    assert found.check.remedy
    assert any(fault.shows in f"{place.where}: {place.got}" for place in found.places), found.places


def test_the_table_has_a_fault_for_every_check_that_is_no_note() -> None:
    names = [check.name for check in KIT_CHECKS]
    assert len(names) == len(set(names))
    needed = {check.name for check in KIT_CHECKS if check.severity != "note"}
    assert needed == {fault.check for fault in FAULTS}
    assert len(FAULTS) >= 25


def test_a_new_kit_lacks_only_what_its_owner_has_to_set(provisioned: Path, tmp_path: Path) -> None:
    expected = {SITE: {"server-unreachable", "data-folder"}, "fl-server": set()}
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    for name, left in expected.items():
        kit = provisioned / name
        if name == SITE:
            connect_to(kit, port)
            sign_kits(provisioned)
        assert fired(examine_kit(kit, environ={})) - {"disk-low", "memory-low"} == left


def test_a_kit_of_an_older_version_says_what_was_not_compared(world: World) -> None:
    (world.site / "local" / "fedaid_software.json").unlink()
    results = {one.check.name: one for one in examine_kit(world.site, environ=world.environ)}
    assert results["software-not-stated"].places
    assert "older version" in results["package-version"].unchecked


def test_a_server_without_a_date_leaves_the_clock_unchecked(world: World) -> None:
    with serving(world.server, ahead=None) as port:
        connect_to(world.site, port)
        results = {one.check.name: one for one in examine_kit(world.site, environ=world.environ)}
    assert "no date" in results["clock-skew"].unchecked


def test_a_step_behind_a_failed_step_is_not_reported_as_passed(world: World) -> None:
    connect_to(world.site, 1)
    results = {one.check.name: one for one in examine_kit(world.site, environ=world.environ)}
    for name in ("server-tls", "server-certificate", "kit-refused", "clock-skew"):
        assert "no connection" in results[name].unchecked, name


def test_the_doctor_of_the_data_runs_if_it_has_not_run_on_this_manifest(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: list[Path] = []

    def examined(site: Path, out: Path) -> None:
        runs.append(out)
        data_folder(site, image_missing="error")

    monkeypatch.setattr(site_data_checks, "examine_site", examined)
    assert fired(examine_kit(world.site, environ=world.environ)) == set()
    assert runs == []
    later = (world.data / VERDICT).stat().st_mtime + 1
    os.utime(world.data / "manifest.csv", (later, later))
    assert fired(examine_kit(world.site, environ=world.environ)) == {"data-errors"}
    assert runs == [world.data / "doctor"]


def test_the_command_prints_findings_and_fails_on_an_error(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    (world.site / "startup" / "client.key").chmod(0o644)
    assert main(["doctor", str(world.site), "--format", "json"]) == 1
    answer = json.loads(capsys.readouterr().out)
    check = next(one for one in answer["data"]["checks"] if one["name"] == "key-readable")
    assert check["places"] == [{"where": "startup/client.key", "got": "mode 0644"}]
    assert (check["severity"], check["fired"], check["remedy"]) == ("error", True, "Run chmod 600 on the file.")
    (world.site / "startup" / "client.key").chmod(0o600)
    assert main(["doctor", str(world.site)]) == 0
    shown = capsys.readouterr().out
    assert "hospital-north: " in shown
    assert "NOTE certificate" in shown
    assert "No problem found by:" in shown


def test_options_of_the_other_kind_are_refused(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", str(world.site), "--confirm", "1"]) == 1
    assert main(["doctor", str(world.data), "--job", str(world.data)]) == 1
    assert "startup kit" in capsys.readouterr().err


def test_an_installed_policy_and_its_kit_give_notes_only(world: World) -> None:
    install(world.site, Rules(clip=1.0))
    results = {one.check.name: one for one in examine_kit(world.site, environ=world.environ)}
    assert fired([*results.values()]) == set()
    assert not results["policy"].places
    assert not results["policy-broken"].unchecked


def test_a_damaged_setting_of_any_shape_is_no_crash(world: World) -> None:
    damage: tuple[object, ...] = (None, 7, {"components": None, "class_allow_list": 3}, {"permissions": None})
    for file in (
        "resources.json",
        "authorization.json",
        "fedaid_software.json",
        "fedaid_code.json",
        "fedaid_site.json",
    ):
        kept = (world.site / "local" / file).read_bytes() if (world.site / "local" / file).is_file() else None
        for content in damage:
            (world.site / "local" / file).write_text(json.dumps(content))
            assert fired(examine_kit(world.site, environ=world.environ)), (file, content)
        (world.site / "local" / file).unlink()
        if kept:
            (world.site / "local" / file).write_bytes(kept)


def write_chain(world: World, between: Made) -> None:
    """A certificate of the site that an authority between it and the consortium's has signed."""
    site = made(SITE, organisation="hospital_north", signer=between)
    site.write(world.site / "startup" / "client.crt", world.site / "startup" / "client.key")
    with (world.site / "startup" / "client.crt").open("ab") as file:
        file.write(between.certificate.public_bytes(Encoding.PEM))


def test_an_authority_between_is_followed(world: World) -> None:
    write_chain(world, made("between", signer=world.authority, authority=True))
    found = {one.check.name: one for one in examine_kit(world.site, environ=world.environ)}
    assert not found["certificate-signer"].places


@pytest.mark.parametrize(
    ("begins", "ends", "check"),
    [(-9, -1, "certificate-expired"), (1, 9, "certificate-not-yet-valid"), (-9, 9, "certificate-ends-soon")],
)
def test_the_dates_of_an_authority_between_count_as_at_the_start(
    world: World, begins: float, ends: float, check: str
) -> None:
    write_chain(world, made("between", signer=world.authority, begins=begins, ends=ends, authority=True))
    found = {one.check.name: one for one in examine_kit(world.site, environ=world.environ)}
    assert [place.got.split(" to ")[0][:19] for place in found[check].places] == ["between: valid from"]
    assert bool(refusal(world.site)) is (check != "certificate-ends-soon")


def test_any_authority_in_the_file_may_have_signed_and_all_must_be_valid(world: World) -> None:
    file = world.site / "startup" / "rootCA.pem"
    own = file.read_bytes()
    for former, wrong in ((made("former"), ""), (made("former", ends=-1, begins=-9), "authority-not-valid")):
        file.write_bytes(former.certificate.public_bytes(Encoding.PEM) + own)
        found = {one.check.name for one in examine_kit(world.site, environ=world.environ) if one.places}
        assert "certificate-signer" not in found
        assert "server-certificate" not in found
        assert ("authority-not-valid" in found) is bool(refusal(world.site)) is bool(wrong)


def test_a_servers_store_is_the_one_that_its_start_will_use(provisioned: Path, tmp_path: Path) -> None:
    kit = Path(shutil.copytree(provisioned / "fl-server", tmp_path / "fl-server"))
    examined = ExaminedKit(open_kit(kit), None, {})
    before = [folder for _, folder in storage_checks.job_folders(examined)]
    assert before == [kit / "storage" / "snapshot-storage", kit / "storage" / "jobs-storage"]
    assert own_store(kit) == []
    assert [folder for _, folder in storage_checks.job_folders(examined)] == before
    shutil.copy(kit / "local" / "resources.json.default", kit / "local" / "resources.json")
    shared = [folder for _, folder in storage_checks.job_folders(examined)]
    assert [folder.parent for folder in shared] == [Path(SHARED_STORE)] * 2
    (kit / "local" / "resources.json").unlink()
    (kit / "startup" / "sub_start.sh").unlink()
    assert [folder for _, folder in storage_checks.job_folders(examined)] == shared


def test_no_remedy_overwrites_the_other_settings_of_a_file() -> None:
    for check in KIT_CHECKS:
        assert "file of the lead's kit over it" not in check.remedy
    remedies = {check.name: check.remedy for check in KIT_CHECKS}
    assert "class_allow_list and class_list_enforcement_mode" in remedies["class-list-open"]
    assert "Copy permissions" in remedies["byoc-allowed"]
    for check in ("certificate-expired", "certificate-ends-soon", "certificate-signer", "authority-not-valid"):
        assert "Replace only startup/" in remedies[check]


def test_a_folder_with_startup_and_no_configuration_is_refused(tmp_path: Path) -> None:
    (tmp_path / "startup").mkdir()
    with pytest.raises(InputError, match=r"KIT must hold one of fed_server\.json"):
        examine_kit(tmp_path)


def test_the_needs_of_a_job_are_those_of_the_planner() -> None:
    job = Path("jobs/fedaid_pretrain")
    site, server = (needs_of(job, server=at_server) for at_server in (False, True))
    planned = job_memory(job, model_size(model_configuration(job)), sites=values_by_name(job)["min_clients"])
    assert (site.memory, server.memory) == tuple(planned.totals.values())
    assert needs_of(job, server=False, gpus=1).memory == planned.without_activations < site.memory
    assert server.source == f"{job.name} with {values_by_name(job)['min_clients']} sites"


def test_the_most_seconds_between_clocks_and_the_least_needs_are_sane() -> None:
    assert network_checks.MOST_SECONDS == 60.0
    assert needs_of(None, server=True).disk == 10e9
    assert machine_checks.memory_bytes() > 1e8


def test_the_page_lists_every_check() -> None:
    page = Path("docs/doctor.md").read_text(encoding="utf-8")
    assert [check.name for check in KIT_CHECKS if f"`{check.name}`" not in page] == []

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import ExtendedKeyUsageOID
from nvflare.lighter.utils import verify_folder_signature

from admin.__main__ import main
from admin.federation.kit_process import kit_environment
from admin.federation.kit_settings import read_json, write_data_root
from admin.federation.kits.installed_refusals import AT_SERVER
from admin.federation.kits.signed_files import SIGNATURES
from admin.federation.project_file import read_project
from admin.federation.provision import provision
from admin.jobs.code_wheel import classes_of_jobs
from admin.results.file_hash import sha256
from admin.session.kit_check import read_chain, refusal
from admin.site.kit.kit_examination import examine_kit
from admin.site.policy.installed_policy import install
from admin.verbs.lead.provision_kits import renewals
from fedaid.errors import InputError
from fedaid.flare.transport.exception_texts import VARIABLE
from fedaid.package_hash import code_hash
from hospital_policy.rules import Rules
from tests.admin.session.kit_maker import authority, write_kit

DEFAULT_PROJECT = Path("admin/project.yml")
SITES = read_project(DEFAULT_PROJECT).sites
NAMES = {person["name"] for person in yaml.safe_load(DEFAULT_PROJECT.read_text())["participants"]}


def test_everybody_gets_a_kit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["provision", "--project", str(DEFAULT_PROJECT), "--out", str(tmp_path / "out")]) == 0
    kits = {path.name for path in (tmp_path / "out" / "fedaid" / "prod_00").iterdir()}
    assert kits == NAMES
    assert {"fl-server", *SITES, "admin@consortium.org", "lead@consortium.org", "manager@hospital-lake.org"} < NAMES
    assert str(tmp_path / "out" / "fedaid" / "prod_00" / "fl-server") in capsys.readouterr().out.splitlines()


def test_kits_without_byoc_refuse_code_and_build_listed_classes_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(["provision", "--project", str(DEFAULT_PROJECT), "--out", str(out), "--no-byoc"]) == 0
    for name in ("fl-server", *SITES):
        local = out / "fedaid" / "prod_00" / name / "local"
        rights = read_json(local / "authorization.json.default")["permissions"]
        assert {role: own["byoc"] for role, own in rights.items()} == dict.fromkeys(rights, "none")
        assert {"project_admin", "lead", "org_admin", "member"} == rights.keys()
        assert rights["project_admin"]["submit_job"] == rights["lead"]["submit_job"] == "any"
        assert "submit_job" not in rights["member"]
        resources = read_json(local / "resources.json.default")
        assert resources["class_list_enforcement_mode"] == "enforce"
        assert resources["class_allow_list"] == classes_of_jobs()
        code = read_json(local / "fedaid_code.json")
        assert code["code"] == code_hash()
        assert code["wheel_sha256"] == sha256(out / "wheel" / code["wheel"])
        assert code["wheel_sha256"] in capsys.readouterr().out or name != "fl-server"


def test_other_kits_allow_code_as_flare_does(tmp_path: Path) -> None:
    kits = provision(DEFAULT_PROJECT, out=tmp_path / "out", home=tmp_path / "home")
    rights = read_json(kits / SITES[0] / "local" / "authorization.json.default")["permissions"]
    assert rights["lead"]["byoc"] == "any"
    assert not (tmp_path / "out" / "wheel").exists()


def streaming(kits: Path) -> list[bool]:
    return [read_json(kits / site / "local" / "resources.json.default")["allow_log_streaming"] for site in SITES]


def test_no_kit_streams_its_log_unless_the_project_turns_it_on_for_a_site(tmp_path: Path) -> None:
    assert streaming(provision(DEFAULT_PROJECT, out=tmp_path / "out", home=tmp_path / "home")) == [False] * 3
    content = yaml.safe_load(DEFAULT_PROJECT.read_text())
    next(one for one in content["participants"] if one["name"] == SITES[1])["allow_log_streaming"] = True
    project = tmp_path / "project.yml"
    project.write_text(yaml.safe_dump(content))
    assert streaming(provision(project, out=tmp_path / "other", home=tmp_path / "home")) == [False, True, False]


def test_flare_hides_the_texts_of_a_sites_exceptions_in_every_site_and_not_at_the_server(tmp_path: Path) -> None:
    kits = provision(DEFAULT_PROJECT, out=tmp_path / "out", home=tmp_path / "home")
    again = provision(DEFAULT_PROJECT, out=tmp_path / "out", home=tmp_path / "home")
    for site in SITES:
        script = (again / site / "startup" / "sub_start.sh").read_text()
        assert script.splitlines()[:2] == ["#!/usr/bin/env bash", f"export {VARIABLE}=true"]
        assert script.count(VARIABLE) == 1
        assert (kits / site / "startup" / "sub_start.sh").stat().st_mode & 0o100
    assert VARIABLE not in (again / "fl-server" / "startup" / "sub_start.sh").read_text()


@dataclass(frozen=True)
class Twice:
    """Kits that were made, and made again with a renewal of the first hospital; ``answer`` is the second envelope."""

    out: Path
    first: Path
    second: Path
    answer: dict[str, Any]

    def certificate(self, kits: Path, name: str) -> x509.Certificate:
        return read_chain(kits / name)[0]


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> Twice:
    out = tmp_path_factory.mktemp("provision") / "out"
    command = ["provision", "--project", str(DEFAULT_PROJECT), "--out", str(out), "--format", "json"]
    printed = io.StringIO()
    assert main(command) == 0
    with redirect_stdout(printed):
        assert main([*command, "--renew", SITES[0]]) == 0
    return Twice(out, *sorted((out / "fedaid").glob("prod_*")), json.loads(printed.getvalue())["data"])


def test_provisioning_again_keeps_the_root_certificate(twice: Twice) -> None:
    assert (twice.first.name, twice.second.name) == ("prod_00", "prod_01")
    assert len({(kits / SITES[0] / "startup" / "rootCA.pem").read_bytes() for kits in (twice.first, twice.second)}) == 1


def test_only_the_owner_can_read_what_provision_writes(twice: Twice) -> None:
    paths = [twice.out, *twice.out.rglob("*")]
    assert sum(path.suffix == ".key" for path in paths) == 2 * len(NAMES)
    assert twice.out / "fedaid" / "state" / "cert.json" in paths
    assert [path for path in paths if path.stat().st_mode & 0o077] == []


def test_a_renewal_keeps_the_policy_if_only_startup_is_replaced_as_the_last_line_says(
    twice: Twice, tmp_path: Path
) -> None:
    assert twice.answer["renewed"] == [SITES[0]]
    (line,) = renewals(twice.answer["renewed"])
    assert line.startswith(f"{SITES[0]}: ")
    assert "replace its startup/ by that of the new kit" in line
    assert renewals([]) == []
    kit = shutil.copytree(twice.first / SITES[0], tmp_path / SITES[0])
    install(kit, Rules(clip=1.0))
    shutil.rmtree(kit / "startup")
    shutil.copytree(twice.second / SITES[0] / "startup", kit / "startup")
    assert twice.certificate(tmp_path, SITES[0]) == twice.certificate(twice.second, SITES[0])
    found = {one.check.name: one.places for one in examine_kit(kit, environ={})}
    for check in ("certificate-signer", "key-mismatch", "names-differ", "kit-incomplete", "policy", "policy-broken"):
        assert found[check] == (), check


def test_certificates_last_as_long_as_the_project_file_says(twice: Twice) -> None:
    found = twice.certificate(twice.first, SITES[1])
    assert (found.not_valid_after_utc - found.not_valid_before_utc).days == 730


def test_only_the_servers_certificate_may_be_shown_as_a_server(twice: Twice) -> None:
    for name in NAMES:
        uses = twice.certificate(twice.first, name).extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        assert (ExtendedKeyUsageOID.SERVER_AUTH in uses) == (name == "fl-server")
        assert ExtendedKeyUsageOID.CLIENT_AUTH in uses


def test_the_server_gets_the_components_that_refuse_and_tell(twice: Twice) -> None:
    local = twice.first / "fl-server" / "local"
    named = json.loads((local / AT_SERVER).read_text())["components"]
    assert len(named) == 2
    for component in named:
        module, _, name = component["path"].rpartition(".")
        source = (local / "custom" / module.replace(".", "/")).with_suffix(".py").read_text()
        assert f"class {name}(" in source
        assert "import admin" not in source
        assert "from admin" not in source
    assert not (twice.first / SITES[0] / "local" / AT_SERVER).exists()


def test_a_renewal_replaces_one_certificate_and_every_kit_stays_good(twice: Twice) -> None:
    names = sorted(kit.name for kit in twice.first.iterdir())
    changed = [one for one in names if twice.certificate(twice.first, one) != twice.certificate(twice.second, one)]
    assert changed == [SITES[0]]
    kits = [kits / name for kits in (twice.first, twice.second) for name in names]
    assert {refusal(kit) for kit in kits} == {""}


def test_each_certificate_is_listed_with_its_end_and_fingerprint(twice: Twice) -> None:
    listed = {one["name"]: one for one in twice.answer["certificates"]}
    assert list(listed) == [*sorted(kit.name for kit in twice.second.iterdir()), "fedaid"]
    assert {name: one["issued"] for name, one in listed.items()} == dict.fromkeys(listed, "as before") | {
        SITES[0]: "renewed"
    }
    found = twice.certificate(twice.second, "lead@consortium.org")
    lead = listed["lead@consortium.org"]
    assert lead["fingerprint"].replace(":", "").lower() == found.fingerprint(SHA256()).hex()
    assert (lead["kind"], lead["valid_until"]) == ("lead", found.not_valid_after_utc.isoformat())
    assert lead["days_left"] in (729, 730)
    assert (listed["fedaid"]["kind"], listed[SITES[0]]["organisation"]) == ("authority", "hospital_north")


def test_the_start_script_of_server_and_sites_checks_the_certificate_first(twice: Twice) -> None:
    for name in ("fl-server", *SITES):
        lines = (twice.second / name / "startup" / "sub_start.sh").read_text().splitlines()
        place = next(index for index, line in enumerate(lines) if line.endswith('"$WORKSPACE" || exit 1'))
        assert "umask 077" in lines[:place]
        assert "kit_check.main" in lines[place]
        assert place < next(index for index, line in enumerate(lines) if "start_python()" in line)


def test_the_server_of_a_trial_listens_on_loopback_and_waits_a_minute_for_a_silent_site(twice: Twice) -> None:
    kit = twice.second / "fl-server"
    server = read_json(kit / "startup" / "fed_server.json")["servers"][0]
    assert (server["service"]["target"], server["admin_port"]) == ("127.0.0.1:8002", 8002)
    assert read_json(kit / "local" / "resources.json.default")["servers"][0]["heart_beat_timeout"] == 60


def test_the_lead_has_no_rights_on_machines_in_any_kit(twice: Twice) -> None:
    for name in ("fl-server", *SITES):
        lead = read_json(twice.second / name / "local" / "authorization.json.default")["permissions"]["lead"]
        assert (lead["operate"], lead["shell_commands"], lead["get_job_log"]) == ("none", "none", "n:submitter")


def test_real_names_make_a_server_that_all_interfaces_reach(tmp_path: Path) -> None:
    content = yaml.safe_load(DEFAULT_PROJECT.read_text())
    content["participants"][0] |= {"name": "fl.x.org", "default_host": "fl.x.org", "host_names": ["fl2.x.org"]}
    (tmp_path / "project.yml").write_text(yaml.safe_dump(content))
    kits = provision(tmp_path / "project.yml", out=tmp_path / "out", home=tmp_path / "home")
    server = read_json(kits / "fl.x.org" / "startup" / "fed_server.json")["servers"][0]
    assert server["service"]["target"] == "fl.x.org:8002"


def test_an_expired_kit_does_not_start(twice: Twice, tmp_path: Path) -> None:
    kit = shutil.copytree(twice.second / SITES[2], tmp_path / SITES[2])
    expired = write_kit(tmp_path / "other" / SITES[2], authority(), begins=-9, ends=-2)
    for name in ("client.crt", "client.key", "rootCA.pem"):
        shutil.copy(expired / "startup" / name, kit / "startup" / name)
    command = ["bash", str(kit / "startup" / "sub_start.sh"), "--once"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=kit_environment(""))
    assert done.returncode == 1
    reason = f"the certificate of {SITES[2]} cannot be used: it has expired at"
    assert reason in done.stderr
    assert reason in (kit / "log.txt").read_text()


def test_flare_finds_its_own_signatures_in_every_kit(twice: Twice, tmp_path: Path) -> None:
    for kits in (twice.first, twice.second):
        startups = sorted(kits.glob("*/startup"))
        assert len(startups) == len(NAMES)
        for startup in startups:
            assert verified(startup)
    startup = shutil.copytree(twice.second / SITES[1] / "startup", tmp_path / "startup")
    with (startup / "start.sh").open("a") as file:
        file.write("# other\n")
    assert not verified(startup)


def verified(startup: Path) -> bool:
    root = str(startup / "rootCA.pem")
    return bool(verify_folder_signature(str(startup), root, single_signer=True, signature_file=SIGNATURES))


def test_what_an_owner_does_to_a_kit_is_no_tampering(twice: Twice, tmp_path: Path) -> None:
    kit = shutil.copytree(twice.first / SITES[0], tmp_path / SITES[0])
    install(kit, Rules(clip=1.0))
    write_data_root(kit, tmp_path)
    for name in ("resources.json", "authorization.json"):
        shutil.copy(kit / "local" / f"{name}.default", kit / "local" / name)
    shutil.rmtree(kit / "startup")
    shutil.copytree(twice.second / SITES[0] / "startup", kit / "startup")  # renewed
    found = {one.check.name: one for one in examine_kit(kit, environ={})}
    for check in ("file-altered", "local-altered", "kit-not-signed"):
        assert (found[check].places, found[check].unchecked) == ((), "")


def test_a_kit_with_a_changed_configuration_does_not_start(twice: Twice, tmp_path: Path) -> None:
    kit = shutil.copytree(twice.second / SITES[2], tmp_path / SITES[2])
    file = kit / "startup" / "fed_client.json"
    file.write_text(file.read_text().replace("127.0.0.1", "127.0.0.2").replace("localhost", "elsewhere") + "\n")
    command = ["bash", str(kit / "startup" / "sub_start.sh"), "--once"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=kit_environment(""), timeout=120)
    assert "The following files are not secure content." in done.stdout
    assert "fed_client.json" in done.stdout


def test_the_fingerprint_to_compare_is_the_same_at_the_lead_and_in_the_doctor(twice: Twice) -> None:
    printed = {one["name"]: one["fingerprint"] for one in twice.answer["certificates"]}
    assert twice.answer["authority"] == printed["fedaid"]
    found = {one.check.name: one.places for one in examine_kit(twice.second / SITES[0], environ={})}
    assert found["authority"][0].got.endswith(f"sha256 {printed['fedaid']}")
    assert found["certificate"][0].got.endswith(f"sha256 {printed[SITES[0]]}")


def test_a_start_outside_the_environment_says_what_to_activate(twice: Twice, tmp_path: Path) -> None:
    kit = shutil.copytree(twice.second / SITES[2], tmp_path / SITES[2])
    bare = tmp_path / "bin" / "python3"
    bare.parent.mkdir()
    bare.write_text(f'#!/bin/sh\nexec "{sys.executable}" -I -S "$@"\n')
    bare.chmod(0o700)
    environment = kit_environment("") | {"PATH": f"{bare.parent}:/usr/bin:/bin"}
    command = ["bash", str(kit / "startup" / "sub_start.sh"), "--once"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    for told in (done.stderr, (kit / "log.txt").read_text()):
        assert "Activate the environment of this kit" in told


def test_a_refusal_of_flare_is_an_error_and_returns_no_earlier_kits(twice: Twice, tmp_path: Path) -> None:
    text = DEFAULT_PROJECT.read_text().replace("root_valid_days: 1825", "root_valid_days: 1000")
    (tmp_path / "project.yml").write_text(text)
    with pytest.raises(RuntimeError, match="root_valid_days=1000 does not match"):
        provision(tmp_path / "project.yml", out=twice.out, home=tmp_path / "home")
    assert len(list((twice.out / "fedaid").glob("prod_*"))) == 2


def test_a_renewal_of_somebody_unknown_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["provision", "--out", str(tmp_path / "out"), "--renew", "hospital-nord"]) == 1
    assert "Did you mean hospital-north?" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_nothing_is_written_to_the_users_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "user").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    assert main(["provision", "--out", str(tmp_path / "out")]) == 0
    assert list((tmp_path / "user").iterdir()) == []


def test_a_site_name_that_flare_misreads_is_refused(tmp_path: Path) -> None:
    content = yaml.safe_load(DEFAULT_PROJECT.read_text())
    content["participants"][1]["name"] = "no"
    (tmp_path / "project.yml").write_text(yaml.safe_dump(content))
    with pytest.raises(InputError, match="site must be text to FLARE"):
        provision(tmp_path / "project.yml", out=tmp_path / "out", home=tmp_path / "home")


def test_a_missing_project_is_refused_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["provision", "--project", str(tmp_path / "none.yml"), "--out", str(tmp_path / "out")]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1

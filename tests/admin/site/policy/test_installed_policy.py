from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from admin.__main__ import main
from admin.site.policy.installed_policy import affordable_updates, install, remove
from fedaid.errors import InputError
from hospital_policy import kit_check
from hospital_policy.kit_files import FILTER_ENTRY, GUARD_ENTRY, PRIVACY_FILE, RESOURCES_FILE
from hospital_policy.rules import RULES_FILE, PolicyFault, Rules, read_rules
from hospital_policy.site_record import SiteRecord

OTHER = {"path": "nvflare.app_common.filters.percentile_privacy.PercentilePrivacy"}
CHECK = (
    "import sys; sys.path.append({custom!r}); import hospital_policy.kit_check as k; k.PolicyCheck(); print(k.__file__)"
)


@pytest.fixture
def kit(tmp_path: Path) -> Path:
    kit = tmp_path / "site-1"
    (kit / "startup").mkdir(parents=True)
    (kit / "startup" / "fed_client.json").write_text("{}")
    (kit / "local").mkdir()
    return kit


def privacy(kit: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((kit / "local" / PRIVACY_FILE).read_text())
    return found


def starts(kit: Path, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether the check lets a process of the kit start."""
    monkeypatch.setattr(kit_check, "__file__", str(kit / "local" / "custom" / "hospital_policy" / "kit_check.py"))
    try:
        kit_check.PolicyCheck()
    except PolicyFault:
        return False
    return True


def test_a_kit_without_scopes_gets_one_and_the_installed_code_accepts_it(kit: Path) -> None:
    install(kit, Rules(clip=1.0))
    assert privacy(kit) == {
        "scopes": [{"name": "hospital", "task_result_filters": [FILTER_ENTRY]}],
        "default_scope": "hospital",
        "components": [GUARD_ENTRY],
    }
    assert read_rules(kit / "local" / RULES_FILE) == Rules(clip=1.0)
    assert {path.stat().st_mode & 0o777 for path in (kit / "local").glob("*.json")} == {0o600}
    code = CHECK.format(custom=str(kit / "local" / "custom"))
    done = subprocess.run([sys.executable, "-c", code], cwd=kit, capture_output=True, text=True, check=True)
    assert done.stdout.startswith(str(kit.resolve()))


def test_other_filters_come_before_the_policy_in_every_scope(kit: Path) -> None:
    scopes = [{"name": "a", "task_result_filters": [OTHER]}, {"name": "b", "properties": {}}]
    (kit / "local" / PRIVACY_FILE).write_text(
        json.dumps({"scopes": scopes, "components": [{"id": "x", "path": "y.Z"}]})
    )
    for _ in range(2):  # the second time with other rules
        install(kit, Rules())
    assert [scope["task_result_filters"] for scope in privacy(kit)["scopes"]] == [[OTHER, FILTER_ENTRY], [FILTER_ENTRY]]
    assert privacy(kit)["components"] == [{"id": "x", "path": "y.Z"}, GUARD_ENTRY]
    remove(kit)
    assert privacy(kit)["scopes"][0] == scopes[0]
    assert not (kit / "local" / RESOURCES_FILE).exists()


SPOILT: dict[str, Any] = {
    "no privacy.json": lambda local: (local / PRIVACY_FILE).unlink(),
    "privacy.json is not JSON": lambda local: (local / PRIVACY_FILE).write_text("{"),
    "no rules": lambda local: (local / RULES_FILE).unlink(),
    "rules that are not valid": lambda local: (local / RULES_FILE).write_text('{"clip": -1}'),
    "a scope without the filter": lambda local: change(local, lambda p: p["scopes"].append({"name": "open"})),
    "a filter after it": lambda local: change(local, lambda p: p["scopes"][0]["task_result_filters"].append(OTHER)),
    "the filter switched off": lambda local: change(
        local, lambda p: p["scopes"][0].update(task_result_filters=[FILTER_ENTRY | {"disabled": True}])
    ),
    "the filter for the other direction": lambda local: change(
        local, lambda p: p["scopes"][0].update(task_result_filters=[FILTER_ENTRY | {"direction": "in"}])
    ),
    "no guard": lambda local: change(local, lambda p: p.pop("components")),
    "a component after the guard": lambda local: change(
        local, lambda p: p["components"].append({"id": "x", "path": "y"})
    ),
}


def change(local: Path, do: Any) -> None:
    content = json.loads((local / PRIVACY_FILE).read_text())
    do(content)
    (local / PRIVACY_FILE).write_text(json.dumps(content))


@pytest.mark.parametrize("case", SPOILT)
def test_a_kit_with_a_part_of_the_policy_does_not_start(case: str, kit: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(kit, Rules())
    assert starts(kit, monkeypatch)
    SPOILT[case](kit / "local")
    assert not starts(kit, monkeypatch)


@pytest.mark.parametrize("text", ["[]", '{"scopes": 3}', '{"scopes": [3]}', "no"])
def test_a_privacy_file_of_another_layout_is_not_touched(text: str, kit: Path) -> None:
    (kit / "local" / PRIVACY_FILE).write_text(text)
    with pytest.raises(InputError, match=PRIVACY_FILE):
        install(kit, Rules())
    assert (kit / "local" / PRIVACY_FILE).read_text() == text


def test_another_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="startup kit of a site"):
        install(tmp_path, Rules())


def test_the_budget_is_given_as_a_number_of_updates() -> None:
    rules = Rules(clip=1.0, noise=2.0, epsilon=3.0, statistics="withhold")
    assert affordable_updates(rules) == 2  # by dp-accounting, see tests/policy/test_site_record.py
    assert affordable_updates(Rules()) == 0


def test_the_verbs_install_read_and_remove(kit: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["policy", "--kit", str(kit), "--min-studies", "5", "--clip", "1.0", "--noise", "0.8", "--epsilon", "8"]
    assert main(words) == 0
    assert "statistics: withhold" in capsys.readouterr().out
    assert main(["policy", "--kit", str(kit), "--noise", "0.8"]) == 1
    assert "clip must be set if there is noise" in capsys.readouterr().err
    assert main(["ledger", str(kit)]) == 1
    SiteRecord(kit).add({"kind": "update", "job": "j", "bytes": 7})
    capsys.readouterr()
    assert main(["ledger", str(kit), "--out", str(tmp_path / "out")]) == 0
    end = capsys.readouterr().out.split("end of the ledger: ")[1].split()[0]
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"ledger.html", "ledger.json"}
    assert main(["ledger", str(kit), "--noted", end]) == 0
    assert main(["ledger", str(kit), "--noted", "1"]) == 1
    (kit / "hospital_policy" / "egress.jsonl").write_text("")
    assert main(["ledger", str(kit)]) == 1
    assert "1 lines are missing at the end" in capsys.readouterr().err
    assert main(["policy", "--kit", str(kit), "--remove"]) == 0
    assert not (kit / "local" / PRIVACY_FILE).exists()
    assert (kit / "hospital_policy").is_dir()

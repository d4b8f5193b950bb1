"""Installs a hospital's own policy in the startup kit of its site, changes it and removes it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import hospital_policy
from fedaid.atomic_file import replacing
from fedaid.errors import InputError, require
from hospital_policy.accountant import epsilon_of
from hospital_policy.kit_files import (
    CHECK_ENTRY,
    FILTER_ENTRY,
    GUARD_ENTRY,
    PRIVACY_FILE,
    RESOURCES_FILE,
    read_privacy,
    require_in_every_scope,
)
from hospital_policy.rules import RULES_FILE, PolicyFault, Rules

PACKAGE = "hospital_policy"
SCOPE = "hospital"  # of a kit without scopes


def install(kit: Path, rules: Rules) -> None:
    """Install the policy, or change the rules of an installed one; other filters in the site's scopes stay before it.

    Args:
        kit: of the site.
        rules: of the hospital.

    Raises:
        InputError: the folder is not a site's kit, or its privacy.json cannot be read.
    """
    require_site_kit(kit)
    local = kit / "local"
    privacy = with_policy(present_privacy(local / PRIVACY_FILE))
    folder = local / "custom" / PACKAGE
    folder.parent.mkdir(exist_ok=True)
    if folder.exists():
        shutil.rmtree(folder)
    source = Path(hospital_policy.__file__).parent
    shutil.copytree(source, folder, ignore=shutil.ignore_patterns("__pycache__"))
    # The check comes first: if the rest is interrupted, the site does not start.
    write_private(local / RESOURCES_FILE, {"components": [CHECK_ENTRY]})
    write_private(local / RULES_FILE, rules.as_dict())
    write_private(local / PRIVACY_FILE, privacy)
    require_in_every_scope(read_privacy(local / PRIVACY_FILE))


def remove(kit: Path) -> None:
    """Remove the policy; the ledger and the spent budget stay.

    Raises:
        InputError: the folder is not a site's kit, or its privacy.json cannot be read.
    """
    require_site_kit(kit)
    local = kit / "local"
    privacy = without_policy(present_privacy(local / PRIVACY_FILE))
    scopes = [scope for scope in privacy.get("scopes", []) if scope != {"name": SCOPE, "task_result_filters": []}]
    if scopes or privacy.get("components"):
        write_private(local / PRIVACY_FILE, privacy)
    else:
        (local / PRIVACY_FILE).unlink(missing_ok=True)
    for name in (RULES_FILE, RESOURCES_FILE):
        (local / name).unlink(missing_ok=True)
    shutil.rmtree(local / "custom" / PACKAGE, ignore_errors=True)


def require_site_kit(kit: Path) -> None:
    """Refuse a folder that is not the startup kit of a site."""
    found = (kit / "startup" / "fed_client.json").is_file() and (kit / "local").is_dir()
    remedy = "Give the folder that holds startup/ and local/."
    require(found, "KIT", "be the startup kit of a site", got=kit, where="the command line", remedy=remedy)


def present_privacy(file: Path) -> dict[str, Any]:
    """Return the site's privacy.json, empty if there is none."""
    if not file.exists():
        return {}
    try:
        privacy = read_privacy(file)
        scopes, components = privacy.get("scopes", []), privacy.get("components", [])
        sound = isinstance(scopes, list) and isinstance(components, list)
        sound = sound and all(isinstance(scope, dict) for scope in scopes)
        sound = sound and all(isinstance(scope.get("task_result_filters", []), list) for scope in scopes)
    except PolicyFault:
        sound = False
    if not sound:
        raise InputError(
            PRIVACY_FILE, "be valid", got="another layout", where="the kit's local/", remedy="Correct or remove it."
        )
    return privacy


def with_policy(privacy: dict[str, Any]) -> dict[str, Any]:
    """Return FLARE's privacy policy of a site with our filter last in each scope, and our guard last of all."""
    privacy = without_policy(privacy)
    if not privacy.get("scopes"):
        privacy |= {"scopes": [{"name": SCOPE}], "default_scope": SCOPE}
    for scope in privacy["scopes"]:
        scope["task_result_filters"] = [*scope.get("task_result_filters", []), FILTER_ENTRY]
    return privacy | {"components": [*privacy.get("components", []), GUARD_ENTRY]}


def without_policy(privacy: dict[str, Any]) -> dict[str, Any]:
    """Return FLARE's privacy policy of a site without our filter and guard."""
    cleaned: dict[str, Any] = json.loads(json.dumps(privacy))
    for scope in cleaned.get("scopes", []):
        if "task_result_filters" in scope:
            scope["task_result_filters"] = [one for one in scope["task_result_filters"] if one != FILTER_ENTRY]
    if "components" in cleaned:
        cleaned["components"] = [one for one in cleaned["components"] if one != GUARD_ENTRY]
    return cleaned


def affordable_updates(rules: Rules) -> int:
    """Return how many updates with noise the budget of an unused kit allows; 0 without noise."""
    if not rules.noise or rules.epsilon is None:
        return 0
    low, high = 0, 1
    while high < 10**9 and epsilon_of({rules.noise: high}, rules.delta) <= rules.epsilon:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if epsilon_of({rules.noise: middle}, rules.delta) <= rules.epsilon else (low, middle)
    return low


def write_private(file: Path, content: dict[str, Any]) -> None:
    """Write JSON in one step, readable by its owner only."""
    with replacing(file, private=True) as draft:
        draft.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")

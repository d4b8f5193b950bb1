"""The files of an installed policy in a site's kit, and what they must say."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hospital_policy.rules import PolicyFault

PRIVACY_FILE = "privacy.json"
RESOURCES_FILE = "hospital_policy__resources.json"  # FLARE reads every file with this ending, at the site and in jobs
FILTER_ENTRY = {"path": "hospital_policy.release_filter.ReleaseFilter"}
GUARD_ENTRY = {"id": "hospital_policy", "path": "hospital_policy.egress_guard.EgressGuard"}
CHECK_ENTRY = {"id": "hospital_policy_check", "path": "hospital_policy.kit_check.PolicyCheck"}
REMEDY = "Run python -m admin policy again"


def read_privacy(file: Path) -> dict[str, Any]:
    """FLARE's privacy policy of a site.

    Raises:
        PolicyFault: if there is no such file, or if it is not a JSON object.
    """
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise PolicyFault(
            f"{PRIVACY_FILE} must be a readable JSON file, got {type(error).__name__}. {REMEDY}"
        ) from None
    if not isinstance(content, dict):
        raise PolicyFault(f"{PRIVACY_FILE} must be a JSON object. {REMEDY}")
    return content


def require_in_every_scope(privacy: Mapping[str, Any]) -> None:
    """Checks that no scope, and so no job, goes without the filter, and that the guard is there.

    Raises:
        PolicyFault: naming the first scope at fault.
    """
    scopes, components = privacy.get("scopes"), privacy.get("components")
    if not isinstance(scopes, list) or not scopes:
        raise PolicyFault(f"{PRIVACY_FILE} must have a scope. {REMEDY}")
    for number, scope in enumerate(scopes, start=1):
        filters = scope.get("task_result_filters") if isinstance(scope, dict) else None
        if not isinstance(filters, list) or filters[-1:] != [FILTER_ENTRY]:
            raise PolicyFault(f"scope {number} of {PRIVACY_FILE} must end with {FILTER_ENTRY['path']}. {REMEDY}")
    if not isinstance(components, list) or components[-1:] != [GUARD_ENTRY]:
        raise PolicyFault(f"the components of {PRIVACY_FILE} must end with {GUARD_ENTRY['path']}. {REMEDY}")

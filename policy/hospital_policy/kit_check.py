"""Whether the policy is installed as it must be; FLARE asks when the site starts and again for each job."""

from __future__ import annotations

from pathlib import Path

from nvflare.apis.fl_component import FLComponent

from hospital_policy.kit_files import PRIVACY_FILE, read_privacy, require_in_every_scope
from hospital_policy.rules import RULES_FILE, read_rules


class PolicyCheck(FLComponent):  # type: ignore[misc]
    """Stops the process that loads it if the policy is not installed as it must be.

    Raises:
        PolicyFault: with the reason; FLARE then starts neither the site nor the job.
    """

    def __init__(self) -> None:
        super().__init__()
        local = Path(__file__).resolve().parents[2]  # local/custom/hospital_policy/kit_check.py
        read_rules(local / RULES_FILE)
        require_in_every_scope(read_privacy(local / PRIVACY_FILE))

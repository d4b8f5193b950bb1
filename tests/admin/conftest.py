"""What the trivial job answered to ``show_stats`` while it ran."""

from __future__ import annotations

import pytest


@pytest.fixture
def running_stats() -> dict[str, object]:
    """What FLARE 2.9.0 answered for the trivial job in its second round."""
    return {
        "server": {
            "TrivialController": {
                "phase": "pretrain",
                "current_round": 1,
                "num_rounds": 3,
                "site_losses": {"hosp-a": 6.0, "hosp_b": 6.5},
                "site_weights": {"hosp-a": 0.4, "hosp_b": 0.6},
                "elapsed": 1.907614735000152,
                "remaining": 3.815229470000304,
                "tasks": {"train": ["hosp-a", "hosp_b"]},
            },
            "ServerRunner": {
                "job_id": "8fc2619f-6927-4ebd-a401-989362e99390",
                "status": "started",
                "workflow": "rounds",
            },
        }
    }

"""Whether this is CI, where ``.ci/run`` installs every tool: a test whose tool is missing fails there."""

from __future__ import annotations

import os

IN_CI = os.environ.get("CI", "").lower() == "true"

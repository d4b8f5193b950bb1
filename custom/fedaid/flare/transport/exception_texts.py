"""Keeps the texts of a site's exceptions out of what FLARE logs and sends.

An exception of a site's own filter or of its data may hold a name. FLARE 2.9.0 puts its text into the error log, which
goes to the server unless a kit says otherwise, and into replies about jobs that do not start. With its variable for
secure logging it gives the type of the exception and the place in the code.
"""

from __future__ import annotations

import os

VARIABLE = "NVFLARE_SECURE_LOGGING"


def hide_exception_texts() -> None:
    """Sets up the site's process of a job; kits that our commands make set up the parent process, too."""
    os.environ[VARIABLE] = "true"

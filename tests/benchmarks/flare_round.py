"""Where the time of a round goes in a POC federation, read from FLARE's own logs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

from admin.federation.poc import PocFederation
from admin.session.download import download
from admin.session.follow import COMPLETED, monitor
from admin.session.login import admin_session

STAMP = "%Y-%m-%d %H:%M:%S,%f"
LINE = re.compile(r"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}) - (.*)$", re.MULTILINE)
SERVER_WORK = ("aggregate", "persist", "memory_cleanup")
ROUND_STARTS = re.compile(r"Round \d+ started\.")
Lines = list[tuple[datetime, str]]


def run_in_poc(workspace: Path, job: Path, sites: Sequence[str], data: Path) -> tuple[Lines, list[Lines]]:
    """Lines of the server's log of a finished job, and of each site's."""
    roots = {site: data / site for site in sites}
    with PocFederation(workspace, list(sites), data_roots=roots) as federation:
        with admin_session(federation.lead_kit) as session:
            job_id = session.submit_job(str(job))
            status = monitor(session, job_id, on_progress=lambda progress: None, timeout=600)
            if status != COMPLETED:
                raise RuntimeError(f"the job ended as {status}: {job_id}")
            server = download(session, job_id, workspace / "out") / "workspace" / "log.txt"
        logs = [next((federation.record.kits / site / job_id).glob("log.txt")) for site in sites]
        return lines(server), [lines(log) for log in logs]


def lines(log: Path) -> Lines:
    """Moment and text of every line that has a moment."""
    return [(datetime.strptime(stamp, STAMP), text) for stamp, text in LINE.findall(log.read_text())]


def spans(found: Lines, begin: str, end: str) -> list[tuple[datetime, float]]:
    """Begin and seconds of each span from a line with ``begin`` to the next with ``end``."""
    marks = [(moment, begin in text) for moment, text in found if begin in text or end in text]
    return [(one[0], (two[0] - one[0]).total_seconds()) for one, two in pairwise(marks) if one[1] and not two[1]]


def breakdown(server: Lines, sites: Sequence[Lines]) -> dict[str, Any]:
    """Medians over the rounds after the first, from the start of one to the start of the next, in seconds.

    ``site_work`` is that of the slowest site, ``flare`` all else. ``hand_in`` is what the server does with the answers
    that come in (decoding, gate, spool); most of it is while another site still works.
    """
    starts = [moment for moment, text in server if ROUND_STARTS.search(text)]
    rounds = [(one, (two - one).total_seconds()) for one, two in pairwise(starts[1:])]

    def within(found: Sequence[tuple[datetime, float]]) -> list[float]:
        return [
            sum(seconds for moment, seconds in found if 0 <= (moment - begin).total_seconds() < length)
            for begin, length in rounds
        ]

    work = [within(spans(site, "invoking task executor", "finished processing task")) for site in sites]
    slowest = [max(of_round) for of_round in zip(*work, strict=True)]
    parts = {
        "site_work": slowest,
        "aggregate": within(spans(server, "Start aggregation", "End aggregation")),
        "persist": within(spans(server, "Start persist", "End persist")),
        "memory_cleanup": within(spans(server, " finished.", " started.")),
        "hand_in": within(spans(server, "got result from client", "finished processing client result")),
    }
    lengths = [length for _, length in rounds]
    flare = [length - busy for length, busy in zip(lengths, slowest, strict=True)]
    server_work = [sum(of_round) for of_round in zip(*(parts[name] for name in SERVER_WORK), strict=True)]
    waiting = [total - busy for total, busy in zip(flare, server_work, strict=True)]
    return {
        "rounds": len(rounds),
        "round": median(lengths),
        "flare": median(flare),
        **{name: median(values) for name, values in parts.items()},
        "polling_and_transport": median(waiting),
    }

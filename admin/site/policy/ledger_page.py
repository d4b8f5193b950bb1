"""The ledger of a site as one page for a data protection officer: no script, no picture, nothing from the network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from admin.site.policy.examined_ledger import ExaminedLedger

STYLE = """body{font:16px/1.5 sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a}
table{border-collapse:collapse;width:100%;margin:1rem 0;font-size:14px}
th,td{border-bottom:1px solid #ccc;padding:.3rem .6rem;text-align:left;vertical-align:top}
.good{color:#14532d}.bad{color:#7f1d1d;font-weight:bold}code{font-size:13px;word-break:break-all}"""
JOB_COLUMNS = (
    "job", "first", "last", "updates", "metrics", "errors", "blocked", "bytes", "tensors", "largest_norm",
    "smallest_factor", "reasons",
)  # fmt: skip
LINE_COLUMNS = ("time", "job", "task", "round", "kind", "bytes", "norm", "factor", "epsilon", "reason", "sha256")
MEANS = (
    ("update", "changes of the model's numbers that training made; no picture and no text"),
    ("metrics", "results of a model over the studies of a split, such as a loss"),
    ("error", "an answer without content: the task failed, or the policy refused the answer"),
    ("blocked", "something that a job wanted to send and the policy kept at the site"),
    ("norm", "size of an update before it was clipped"),
    ("factor", "what the update was multiplied by; 1 means that it was small enough"),
    ("epsilon", "privacy loss of all updates with noise so far; empty without noise"),
    ("sha256", "fingerprint of the content that was sent"),
)


def ledger_page(ledger: ExaminedLedger, *, site: str, most: int = 5000) -> str:
    """Return the page.

    Args:
        ledger: examined.
        site: name of the kit's folder.
        most: number of the last lines that are shown one by one.
    """
    found = ledger.summary()
    state = "The ledger is as it was written." if found["whole"] else "The ledger is NOT as it was written."
    head = f"{found['lines']}:{found['sha256']}"
    body = [
        f"<h1>What left {escape(site)}</h1>",
        f'<p class="{"good" if found["whole"] else "bad"}">{state}</p>',
        listed(found["problems"]),
        f"<p>{found['lines']} lines, {found['bytes']} bytes. Note this end elsewhere, and give it to "
        f"<code>python -m admin ledger --noted</code> next time: <code>{head}</code></p>",
        "<h2>The rules of the hospital</h2>",
        table(("rule", "value"), [{"rule": name, "value": value} for name, value in (found["rules"] or {}).items()]),
        f"<p>Privacy loss so far (epsilon): {shown(found['epsilon'])}</p>",
        "<h2>Jobs</h2>",
        table(JOB_COLUMNS, found["jobs"]),
        "<h2>What the words mean</h2>",
        table(("word", "meaning"), [{"word": word, "meaning": meaning} for word, meaning in MEANS]),
        f"<h2>Lines{f' (the last {most})' if len(ledger.lines) > most else ''}</h2>",
        table(LINE_COLUMNS, ledger.lines[-most:]),
    ]
    title = f"<title>What left {escape(site)}</title>"
    meta = '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    top = f'<!doctype html><html lang="en"><head>{meta}{title}<style>{STYLE}</style></head>'
    return f"{top}<body>{''.join(body)}</body></html>\n"


def listed(texts: Sequence[str]) -> str:
    """Return a list; nothing for no texts."""
    return f"<ul>{''.join(f'<li class=bad>{escape(text)}</li>' for text in texts)}</ul>" if texts else ""


def table(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> str:
    """Return a table of these columns; a missing value is empty."""
    head = "".join(f"<th>{escape(column)}</th>" for column in columns)
    lines = ("".join(f"<td>{shown(row.get(column))}</td>" for column in columns) for row in rows)
    return f"<table><tr>{head}</tr>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"


def shown(value: Any) -> str:
    """Return a value as HTML."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}"
    return escape("; ".join(map(str, value)) if isinstance(value, list) else str(value))

"""Replies of a site that carry no result: a return code of FLARE and a short text."""

from __future__ import annotations

from nvflare.apis.shareable import Shareable, make_reply

ERROR_HEADER = "fedaid_error"
REFUSED_HEADER = "fedaid_refused"  # true if the server could not decode an answer; absent if the site's task failed
REASON_HEADER = "fedaid_reason"  # one of REASONS; absent for any other error
INVALID_HEADER = "fedaid_invalid"  # true if the task would fail again until a person mends something at the site
KILLED, OUT_OF_MEMORY = "killed", "out_of_memory"
REASONS = (KILLED, OUT_OF_MEMORY)
LONGEST_ERROR = 500  # characters


def error_reply(code: str, text: str, *, refused: bool = False, reason: str = "", invalid: bool = False) -> Shareable:
    """A reply that says why there is no result.

    Args:
        code: FLARE's return code.
        text: the reason; it is cut to :data:`LONGEST_ERROR` characters.
        refused: whether the server's filter could not decode the site's answer.
        reason: one of :data:`REASONS`, or empty.
        invalid: whether the task would fail again until a person mends a setting or a file at the site.
    """
    marks = {REFUSED_HEADER: refused, REASON_HEADER: reason, INVALID_HEADER: invalid}
    return make_reply(code, {ERROR_HEADER: text[:LONGEST_ERROR]} | {name: mark for name, mark in marks.items() if mark})


def error_reason(reply: Shareable) -> str:
    """Why a site could not work, one of :data:`REASONS`; empty for another reason, and for anything else it wrote."""
    reason = reply.get_header(REASON_HEADER)
    return reason if isinstance(reason, str) and reason in REASONS else ""


def is_invalid(reply: Shareable) -> bool:
    """Whether the task would fail again until a person mends a setting or a file at the site."""
    return reply.get_header(INVALID_HEADER) is True


def was_refused(reply: Shareable) -> bool:
    """Whether the server's filter replaced an answer that it could not decode."""
    return reply.get_header(REFUSED_HEADER) is True


def error_text(reply: Shareable) -> str:
    """The text of an error reply in one line, cut to :data:`LONGEST_ERROR` characters; without a text, its code."""
    text = reply.get_header(ERROR_HEADER)
    line = (text if isinstance(text, str) else str(reply.get_return_code()))[:LONGEST_ERROR]
    return printable(line)


def printable(text: str) -> str:
    """A text that a site sent, with a space for each character that ends a line or controls a terminal."""
    return "".join(letter if letter.isprintable() else " " for letter in text)

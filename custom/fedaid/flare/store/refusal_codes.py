"""Short codes for the reasons of a refusal: a code holds nothing that a site has written."""

from __future__ import annotations

# A part of the reason's text → its code; the first that fits counts.
CODES = {
    "could not work (killed)": "killed",
    "could not work (out_of_memory)": "out-of-memory",
    "could not work": "site-error",
    "the phase is over": "phase-over",
    "late result": "phase-over",
    "no phase is open": "phase-over",
    "was not asked, or has answered": "not-asked-or-twice",
    "was not asked": "not-asked",
    "has answered already": "second-answer",
    "another attempt": "other-attempt",
    "another round": "other-round",
    "another task": "other-round",
    "to its disk": "server-disk",
    "must be finite": "not-finite",
    "norm of its": "larger-than-others",
    "its norm": "norm",
    "variance": "variance",
    "tensor ": "tensors",
    "nats": "loss",
    "metric": "metric",
    "pairs must": "counts",
    "skipped must": "counts",
    "too many fields": "too-large",
}
OTHER = "malformed"


def refusal_code(reason: str) -> str:
    """The code of a reason; ``malformed`` for an answer that does not have the layout of its kind."""
    text = reason.partition("refused: ")[2] or reason  # what comes before names the site
    return next((code for part, code in CODES.items() if part in text), OTHER)

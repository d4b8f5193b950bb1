"""``python -m admin VERB ...``: the only way in."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from admin.verbs.answer import FAILED, OK, Answer
from admin.verbs.run_verb import run_verb
from admin.verbs.verb_parser import asks_for_json
from admin.verbs.verb_table import find_verb, listing
from fedaid.errors import InputError
from fedaid.version import VERSION


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a verb, or list them, and return the exit code."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    if not words or words[0] in ("-h", "--help"):
        print(listing())
        return OK
    if words[0] == "--version":
        print(f"FedAID {VERSION}")
        return OK
    try:
        verb = find_verb(words[0])
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        Answer(as_json=asks_for_json(words)).close(FAILED, str(error))
        return FAILED
    return run_verb(verb, words[1:])


if __name__ == "__main__":
    sys.exit(main())

"""Runs a verb: reads its arguments, does its work, turns a failure into one line and an exit code."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from importlib import import_module
from pathlib import Path

from admin.results.failure import AbortedOnPurpose
from admin.verbs.answer import ABORTED, CANNOT_CONNECT, FAILED, INTERRUPTED, OK, TIMED_OUT, Answer
from admin.verbs.verb_parser import VerbParser, asks_for_json, verb_parser
from admin.verbs.verb_table import Verb
from fedaid.errors import InputError

EXPECTED = (InputError, OSError, RuntimeError)  # a person's input or the machine explains these


def run_verb(verb: Verb, words: Sequence[str]) -> int:
    """Run a verb and return its exit code.

    Returns:
        0 ok, 1 failed (a wrong command line too), 2 cannot connect, 3 timed out, 4 a person aborted the job,
        130 interrupted.

    Raises:
        Exception: an error that neither the input nor the machine explains: a fault of this project.
    """
    parser = parser_of(verb)
    answer, options = Answer(as_json=asks_for_json(words)), argparse.Namespace()
    code, message = FAILED, ""
    try:
        parser.parse_args(words, options)
        code = _done(verb, options, answer)
    except KeyboardInterrupt:
        code, message = INTERRUPTED, f"interrupted; {answer.after_interrupt}"
        print(message, file=sys.stderr)
    except EXPECTED as error:
        code, message = exit_code(error), shown(error, options)
        print(f"error: {message}", file=sys.stderr)
    except Exception as error:
        answer.close(FAILED, f"unexpected {type(error).__name__}")
        raise
    answer.close(code, message)
    return code


def parser_of(verb: Verb) -> VerbParser:
    """Return the parser of a verb; the docstring of its module is the help."""
    module = import_module(verb.module)
    parser = verb_parser(verb.name, description=(module.__doc__ or "").strip())
    module.add_arguments(parser)
    return parser


def _done(verb: Verb, options: argparse.Namespace, answer: Answer) -> int:
    """Do the verb's work; whatever a library prints meanwhile goes to standard error."""
    with redirect_stdout(sys.stderr):
        import_module(verb.module).run(options, answer)
    return OK


def exit_code(error: Exception) -> int:
    """Return the exit code of a failure."""
    if isinstance(error, TimeoutError):
        return TIMED_OUT
    if isinstance(error, AbortedOnPurpose):
        return ABORTED
    return CANNOT_CONNECT if isinstance(error, ConnectionError) else FAILED


def shown(error: Exception, options: argparse.Namespace) -> str:
    """Return a failure as one line.

    The system's message about a file names the path that was given on the command line, never a file below it: at a
    hospital a file's name can be a patient's.
    """
    text = " ".join(str(error).split()) or type(error).__name__
    if not isinstance(error, OSError) or error.strerror is None:
        return text
    return error.strerror if error.filename is None else f"{error.strerror}: {place(Path(error.filename), options)}"


def place(path: Path, options: argparse.Namespace) -> str:
    """Return the given path that this one is, or lies below."""
    values = [value for given in vars(options).values() for value in (given if isinstance(given, list) else [given])]
    paths = sorted((value for value in values if isinstance(value, Path)), key=lambda given: -len(given.parts))
    for given in paths:
        if path.absolute() == given.absolute() or given.absolute().is_relative_to(path.absolute()):
            return str(path)
        if path.absolute().is_relative_to(given.absolute()):
            return f"a file in {given}"
    return "a file"

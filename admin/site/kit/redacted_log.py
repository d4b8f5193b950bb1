"""Redact the log of one job: what is left has no patient data, no names, no paths and no values of the hospital.

Nothing is recognised as harmful; instead only what is known as harmless is copied. A line is written if its whole
message is one of a list, whose variable parts are numbers, tasks and ids of jobs. Of any other warning or error only
time and level are written. Of a traceback the types of known exceptions and the places in files of known packages are
written.
"""

from __future__ import annotations

import builtins
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path, PurePosixPath

from fedaid.errors import InputError

NUMBER, ID, TASK = r"\d+(?:\.\d+)?(?:e-?\d+)?", "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", "TASK"
TASKS = ("align", "pretrain", "validate", "train", "train_alone", "keep_alone", "evaluate", "local_model")
SIZE = rf"{NUMBER}[KMG]?B \({NUMBER} [Bb]ytes\)"
SETTINGS = (
    *("batch_size", "micro_batch_size", "valid_batch_size", "least_patients", "draws", "level", "seed", "threads"),
    *("min_clients", "num_rounds", "image_size", "max_tokens", "learning_rate", "task_timeout"),
)
PHRASES = (  # whole messages; N is a number, TASK a task, ID a number of FLARE
    r"Worker_process started\.",
    r"Wait for client_runner to be created\.",
    r"Got client_runner after N seconds",
    r"synced to parent server in N seconds",
    r"client runner started",
    r"pull_task completed\. Task name:TASK Status:(?:True|False) ?",
    r"Received from server\. getTask: TASK size: SIZE time: N seconds",
    r"got task assignment: name=TASK, id=ID",
    r"Starting to push execute result\.",
    r"SubmitUpdate to: server\. size: SIZE\. time: N seconds",
    r"server runner is finished asking to stop; client runner stopping",
    r"client runner stopped|started end run sequence|received request from Server to end current RUN",
    r"run \(ID\): (?:waiting for child worker process to finish\.|child worker process terminated)",
    r"run \(ID\): child worker process finished with RC -?N",
    r"the training process ended \((?:signal|code) N\)",
)
CUT_PHRASES = (  # beginnings of messages; the rest is not written
    r"(?:SETTING) must be (?:at least|at most|above|below) N(?:, as the sites? asks?)?, got -?N",
    r"TASK: (?:out of memory|No space left on device|Permission denied)",
)
CLASS = re.compile(r"this machine refuses a class of the job: .*?\b((?:nvflare|fedaid|torch)(?:\.[A-Za-z_]\w*)+)\b")
HEAD = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}) - \S+ - (DEBUG|INFO|WARNING|ERROR|CRITICAL) - (.*)")
CONTEXT = re.compile(r"\[identity=[^\]]*\](?: - |: )?")
OF_TASK = re.compile(r"\btask_name=(\w+)\b")
FRAME = re.compile(r'\s*File "([^"]+)", line (\d+)')
RAISED = re.compile(r"((?:[A-Za-z_]\w*\.)*[A-Za-z_]\w*)(?::.*)?")
PACKAGES = ("fedaid", "nvflare", "torch", "transformers", "numpy", "safetensors", "monai", "PIL", "pydicom")
KNOWN = {
    *(name for name, kind in vars(builtins).items() if isinstance(kind, type) and issubclass(kind, BaseException)),
    *("InputError", "NotYet", "Damaged", "ProcessesFailed", "UnusableStudy", "MalformedMessage", "Faulted", "Aborted"),
    *("OutOfMemoryError", "UnsafeComponentError", "ConfigError", "SafetensorError", "AcceleratorError"),
}
LEFT_OUT = "(message left out)"


def pattern(phrase: str) -> str:
    """Return the regular expression of a phrase."""
    words = {"SIZE": SIZE, "SETTING": "|".join(SETTINGS), "TASK": f"(?:{'|'.join(TASKS)})", "ID": ID}
    for word, meaning in words.items():
        phrase = re.sub(rf"\b{word}\b", lambda _, meaning=meaning: meaning, phrase)  # type: ignore[misc]
    return re.sub(r"\bN\b", lambda _: NUMBER, phrase)


WHOLE = re.compile("|".join(f"(?:{pattern(phrase)})" for phrase in PHRASES))
BEGINNING = re.compile("|".join(f"(?:{pattern(phrase)})" for phrase in CUT_PHRASES))


class Redaction:
    """The redacted lines of a log.

    Args:
        lines: of the log.

    Attributes:
        left_out: level → lines with a message that is not written; those without a level are ``other``.
    """

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = lines
        self.left_out: Counter[str] = Counter()

    def __iter__(self) -> Iterator[str]:
        for line in self._lines:
            head = HEAD.fullmatch(line.rstrip("\n"))
            found = self._message(*head.groups()) if head else self._detail(line.rstrip("\n"))
            if found:
                yield found

    def _message(self, time: str, level: str, text: str) -> str:
        """Return a line of the log; empty if nothing of it may be written."""
        task = OF_TASK.search(text.partition("]")[0])
        place = f" [{task[1]}]" if task and task[1] in TASKS else ""
        said = harmless(CONTEXT.sub("", text, count=1))
        if said:
            return f"{time} {level}{place} {said}"
        self.left_out[level] += 1
        return f"{time} {level}{place} {LEFT_OUT}" if level in ("WARNING", "ERROR", "CRITICAL") else ""

    def _detail(self, line: str) -> str:
        """Return a line of a traceback; empty for any other line."""
        frame, raised = FRAME.match(line), RAISED.fullmatch(line)
        if frame:
            return f"    at {place_in_code(frame[1])}, line {frame[2]}"
        if raised and raised[1].rpartition(".")[2] in KNOWN:
            return f"    raised {raised[1].rpartition('.')[2]}"
        self.left_out["other"] += bool(line.strip())
        return ""


def harmless(message: str) -> str:
    """Return what may be written of a message; empty if it is not of the list."""
    refused = CLASS.match(message)
    if refused:
        return f"this machine refuses a class of the job: {refused[1]}" if is_class(refused[1]) else ""
    if WHOLE.fullmatch(message):
        return message
    beginning = BEGINNING.match(message)
    return beginning[0] if beginning else ""


@cache
def folder_of(package: str) -> Path | None:
    """Return the folder of an installed package, which is not imported; None if it is not there."""
    found = find_spec(package)
    return Path(found.origin).parent if found is not None and found.origin else None


def place_in_code(path: str) -> str:
    """Return a file as ``package/…/file.py`` if the package has such a file here; its name tells nothing then."""
    parts = PurePosixPath(path).parts
    for package in PACKAGES:
        if package in parts:
            rest = parts[len(parts) - parts[::-1].index(package) :]
            folder = folder_of(package)
            if folder is not None and ".." not in rest and folder.joinpath(*rest).is_file():
                return "/".join((package, *rest))
    return "a file of no known package"


def is_class(path: str) -> bool:
    """Whether a class path leads to a module of a known package that is installed here."""
    package, *names = path.split(".")
    return place_in_code("/".join((package, *names[:-1])) + ".py") != "a file of no known package"


def lines_of_job(kit: Path, job_id: str) -> list[str]:
    """Return the lines of a site's log of a job, after those of the kit's own log that name the job.

    Raises:
        InputError: the job's number is not one, or the kit has no log of it.
    """
    remedy = "Copy the number that the lead named, as 8fc2619f-6927-4ebd-a401-989362e99390."
    if not re.fullmatch(ID, job_id):
        raise InputError("JOB_ID", "be a job's number", got=job_id, where="the command line", remedy=remedy)
    of_kit = [line for line in text_of(kit / "log.txt") if job_id in line]
    of_job = text_of(kit / job_id / "log.txt")
    if not of_kit and not of_job:
        remedy = "Give the kit that worked on the job, and check the number."
        raise InputError("KIT", "have a log of the job", got="no line of it", where=str(kit), remedy=remedy)
    return [*of_kit, *of_job]


def text_of(log: Path) -> list[str]:
    """Return the lines of a log; none if there is no log."""
    return log.read_text(encoding="utf-8", errors="replace").splitlines() if log.is_file() else []

"""Every verb of ``python -m admin``: who uses it, in which order, and what it does in one line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fedaid.errors import InputError, closest


@dataclass(frozen=True)
class Verb:
    """A verb.

    Attributes:
        name: what a person types.
        module: the module with its ``add_arguments`` and ``run``; its docstring is the help.
        does: one line for the list of verbs.
    """

    name: str
    module: str
    does: str


HOSPITAL, LEAD, RESEARCHER = (f"admin.verbs.{room}" for room in ("hospital", "lead", "researcher"))
GROUPS: Mapping[str, Sequence[Verb]] = {
    "A hospital's data manager": (
        Verb("prepare", f"{HOSPITAL}.prepare_site", "make the site's dataset from its images and reports"),
        Verb("doctor", f"{HOSPITAL}.doctor_site", "check a site's data, or a startup kit and its machine"),
        Verb("policy", f"{HOSPITAL}.site_policy", "install the hospital's own policy on what leaves the site"),
        Verb("ledger", f"{HOSPITAL}.site_ledger", "check and summarise what has left the site"),
        Verb("log", f"{HOSPITAL}.site_log", "write the redacted log of a job, to read and then to send"),
        Verb("partition", f"{HOSPITAL}.partition_manifest", "divide one manifest into sites, to simulate a federation"),
    ),
    "The lead of a consortium": (
        Verb("package", f"{LEAD}.package_job", "make a job from jobs/, with its code and settings"),
        Verb("check", f"{LEAD}.check_job", "check a packaged job: classes, settings, code"),
        Verb("plan", f"{LEAD}.plan_job", "estimate what a job's rounds cost, and set its timeouts"),
        Verb("simulate", f"{LEAD}.simulate_job", "run a job in FLARE's simulator, on this machine"),
        Verb("poc", f"{LEAD}.poc_federation", "start and stop a trial federation, on this machine"),
        Verb("provision", f"{LEAD}.provision_kits", "make the startup kits of all participants"),
        Verb("submit", f"{LEAD}.submit_job", "submit a job to a server"),
        Verb("run", f"{LEAD}.run_to_end", "submit a job again until its run is done"),
        Verb("status", f"{LEAD}.status_runs", "list the runs of a server, and how far they are"),
        Verb("monitor", f"{LEAD}.monitor_job", "follow a job to its end"),
        Verb("abort", f"{LEAD}.abort_job", "abort a job; its run can be continued"),
        Verb("download", f"{LEAD}.download_result", "fetch a finished job's result"),
        Verb("report", f"{LEAD}.report_run", "write a run's report card: which sites gained"),
    ),
    "A researcher": (
        Verb("tower", f"{RESEARCHER}.tower_import", "import a pretrained encoder from a folder of a model hub"),
        Verb("export", f"{RESEARCHER}.export_model", "write a trained model for Hugging Face, MONAI and ONNX"),
        Verb("evaluate", f"{RESEARCHER}.evaluate_model", "evaluate a trained model on sites' data, on this machine"),
        Verb("compare", f"{RESEARCHER}.compare_methods", "compare methods on sites' data, on this machine"),
        Verb("demo", f"{RESEARCHER}.demo_run", "train on three synthetic hospitals, from data to report"),
        Verb("twin", f"{RESEARCHER}.twin_hospitals", "write synthetic hospitals: images, reports, manifests"),
    ),
    "A maintainer of this project": (
        Verb("vocabulary", f"{RESEARCHER}.vocabulary_file", "build or check the vocabulary that jobs ship"),
    ),
}
EVERY_VERB = (
    "Results go to standard output, progress and errors to standard error.",
    "Every verb takes --format json: one envelope on standard output.",
    "Exit codes: 0 ok, 1 failed (a wrong command line too), 2 cannot connect,",
    "3 timed out, 4 a person aborted the job, 130 interrupted by Ctrl-C.",
)
VERBS: Mapping[str, Verb] = {verb.name: verb for verbs in GROUPS.values() for verb in verbs}


def find_verb(name: str) -> Verb:
    """Return the verb of this name.

    Raises:
        InputError: for an unknown name; the remedy is the closest verb.
    """
    if name not in VERBS:
        remedy = closest(name, list(VERBS))
        raise InputError("VERB", "be a verb of python -m admin", got=name, where="the command line", remedy=remedy)
    return VERBS[name]


def listing() -> str:
    """Return what ``python -m admin`` prints: the verbs by user, in the order of use."""
    lines = ["python -m admin VERB ...", "python -m admin VERB --help", "python -m admin --version"]
    width = max(map(len, VERBS)) + 2
    for user, verbs in GROUPS.items():
        lines += ["", user, *(f"  {verb.name:<{width}}{verb.does}" for verb in verbs)]
    return "\n".join([*lines, "", *EVERY_VERB])

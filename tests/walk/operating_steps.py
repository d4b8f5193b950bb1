"""The steps of docs/operating.md, by this project's commands, by those of nvflare and at FLARE's console."""

from __future__ import annotations

import json

from admin.session.login import admin_session
from fedaid.flare.software.site_software import PROPERTIES
from fedaid.version import CODE_KEY
from tests.integration.conftest import CONTROL, MODEL, TRAINING, small_job
from tests.walk.kit_steps import PAGE as PROVISIONED
from tests.walk.step import Step
from tests.walk.world import ADMIN, LEAD, SERVER, SITES, World

PAGE = "operating"
LEAVING = "hospital-south"
RUN = "walk"
SETTINGS = " ".join(f"--set '{name}={json.dumps(value)}'" for name, value in (MODEL | TRAINING | CONTROL).items())
YES = "y\n"
OLD, NEW = "venv-0.9.0", "venv-0.9.1"
SHARED = (
    'python3 -c "import pathlib, sys, sysconfig;'
    " pathlib.Path(sysconfig.get_path('purelib'), 'shared.pth').write_text('{libraries}')\""
)
AS_ADMIN = {"startup-kit KIT": f"startup-kit KITS/{ADMIN}"}
ADMINS = "the admin gives this command"
ENDED = "FINISHED:COMPLETED"


def long_job(world: World) -> None:
    """Package a job that does not end while the walk looks at it."""
    small_job(world.checkout / "build" / "long", sites=3, num_rounds=500, run_name="long")


def running_job(world: World) -> None:
    """Submit the long job, and wait until it runs."""
    job = world.checkout / "build" / "long" / "fedaid_pretrain"
    code, said = world.shell(f"python -m admin submit {job} --kit {world.kit(LEAD)}", at=world.checkout)
    assert code == 0, said
    world.values["JOB_ID"] = world.job_in(said)
    world.wait_for(lambda: status_of(world) == "RUNNING", "the job runs")


def status_of(world: World) -> str:
    with admin_session(world.kit(LEAD), timeout=60) as session:
        return str(session.get_job_status(world.values["JOB_ID"]))


def aborted(world: World) -> None:
    world.wait_for(lambda: status_of(world) == "FINISHED:ABORTED", "the job is aborted")


def gone(world: World) -> None:
    with admin_session(world.kit(LEAD), timeout=60) as session:
        assert world.values["JOB_ID"] not in {job["job_id"] for job in session.list_jobs()}


def another_aborted_job(world: World) -> None:
    """The job of `nvflare job abort` for `delete`."""
    world.values["JOB_ID"] = world.values["ABORTED"]


def remember_aborted(world: World) -> None:
    aborted(world)
    world.values["ABORTED"] = world.values["JOB_ID"]


def without_the_site(world: World) -> None:
    """The run goes on, one round more, with the two others."""
    job = world.checkout / "build" / "jobs" / "fedaid_pretrain"
    code, said = world.shell(f"python -m admin submit {job} --kit {world.kit(LEAD)} --wait", at=world.checkout)
    assert code == 0, said
    found = world.results(world.job_in(said))
    assert [entry["round"] for entry in found["history"]] == [0, 1, 2]
    assert sorted(found["history"][-1]["valid"]) == sorted(set(SITES) - {LEAVING})
    assert sorted(found["history"][0]["valid"]) == sorted(SITES)


def locked_out(world: World) -> None:
    with admin_session(world.kit(ADMIN), timeout=60) as session:
        assert LEAVING not in {client.name for client in session.get_connected_client_list()}


def all_ended(world: World) -> None:
    world.wait_for(lambda: not world.processes(), "server and sites end", seconds=120)


def start_again(world: World) -> None:
    """Start the server and every site again, as their owners do."""
    times = world.times_registered()
    for kit in (SERVER, *SITES):
        code, said = world.shell("bash startup/start.sh", at=world.kit(kit))
        assert code == 0, said
    for site in SITES:
        world.wait_for(lambda site=site: world.times_registered()[site] > times[site], f"{site} is connected again")


def other_version(world: World) -> None:
    """What is there before an upgrade: the environment of this version, and a packaged job of it."""
    assert (world.srv / "venv" / "bin" / "python3").exists()
    assert (world.srv / "venv").resolve().name == NEW


def runs_from_the_link(world: World) -> None:
    """Start the server and the sites again with the environment behind the link first in PATH."""
    times = world.times_registered()
    for kit in (SERVER, *SITES):
        command = f"PATH={world.srv}/venv/bin:$PATH bash startup/start.sh"
        code, said = world.shell(command, at=world.kit(kit))
        assert code == 0, said
    for site in SITES:
        world.wait_for(lambda site=site: world.times_registered()[site] > times[site], f"{site} is connected again")
    environments = {one.environ().get("PATH", "").split(":")[0] for one in world.processes(SERVER)}
    assert environments == {f"{world.srv}/venv/bin"}, environments


def refused_job(world: World) -> None:
    """After the way back, a job that another version has packaged is refused."""
    assert (world.srv / "venv").resolve().name == OLD
    job = world.checkout / "build" / "other" / "fedaid_pretrain"
    small_job(world.checkout / "build" / "other", sites=3, run_name="other")
    meta = json.loads((job / "meta.json").read_text())
    meta[PROPERTIES][CODE_KEY] = "0" * len(meta[PROPERTIES][CODE_KEY])
    (job / "meta.json").write_text(json.dumps(meta))
    code, said = world.shell(f"python -m admin submit {job} --kit {world.kit(LEAD)}", at=world.checkout)
    assert code == 1, said
    assert "Package the job again: python -m admin package" in said, said


def step(line: str, *says: str, **more: object) -> Step:
    return Step(PAGE, line, says=says, **more)  # type: ignore[arg-type]


def asks(line: str, *says: str, **more: object) -> Step:
    """A command that asks whether it shall."""
    return step(line, *says, answer=YES, **more)


def console(line: str, *says: str, who: str = LEAD, **more: object) -> Step:
    return step(line, *says, at=f"console {who}", **more)


EVERY_DAY = (
    step("python -m admin status --kit KIT", "complete +2/2"),
    step("nvflare job list --startup-kit KIT", "fedaid_pretrain"),
    console("list_jobs", "fedaid_pretrain"),
    step("python -m admin submit JOB --kit KIT --wait", ENDED),
    step("nvflare job submit -j JOB --startup-kit KIT", keep="JOB_ID"),
    step("nvflare job monitor JOB_ID --startup-kit KIT", "COMPLETED"),
    step("python -m admin monitor JOB_ID --kit KIT", ENDED),
    step("python -m admin run JOB --kit KIT", ENDED),
    step("python -m admin download JOB_ID --kit KIT", "build/results"),
    step("nvflare job download JOB_ID --startup-kit KIT"),
    step(
        "python -m admin log KIT JOB_ID --out job-log.txt",
        "Nothing was sent",
        instead={"log KIT": "log KITS/hospital-lake"},
        why="the kit of one hospital",
    ),
    step(
        "python -m admin log KIT JOB_ID",
        "must not exist",
        instead={"log KIT": "log KITS/hospital-lake"},
        why="the kit of one hospital; the file is there already",
        code=1,
    ),
    step("python -m admin monitor JOB_ID --kit KIT --format json", '"exit_code": 0'),
    console("download_job JOB_ID"),
    step("python -m admin report RUN_FOLDER", "report.html"),
    step(
        "python -m admin package --clone build/results/JOB_ID --rename NAME --set num_rounds=9",
        "build/jobs/longer",
        instead={"NAME": "longer"},
        why="a name",
    ),
    step(
        "python -m admin report RUN_FOLDER --against OTHER_RUN_FOLDER",
        "comparison.html",
        instead={"OTHER_RUN_FOLDER": "build/results/JOB_ID/workspace"},
        why="the download of the job before",
    ),
    step("nvflare job meta JOB_ID --startup-kit KIT", "job_deploy_detail"),
    step("nvflare job clone JOB_ID --startup-kit KIT", keep="JOB_ID"),
    step("python -m admin compare", "usage", instead={"compare": "compare --help"}, why="it needs no federation"),
    step("python -m admin status --kit KIT", *SITES),
    step("nvflare system status --startup-kit KIT", *SITES),
    console("check_status client", *SITES),
    console("check_status server", "[Ee]ngine status"),
    Step(PROVISIONED, "python -m admin status --kit ... --delete-ended 30", says=("no job to delete",)),
    step("python -m admin status --kit KIT --delete-ended 30", "no job to delete"),
    Step(
        PROVISIONED,
        "python -m admin run",
        instead={"admin run": f"admin run JOB --kit KITS/{LEAD}"},
        why="the sentence names the command only",
        says=(ENDED,),
    ),
    step("bash startup/fl_admin.sh", "Type \\? to list commands", at="lead", answer=f"{LEAD}\nbye\n"),
)
ENDED_JOBS = (
    long_job,
    console("submit_job JOB", instead={"JOB": "{long}"}, why="a job that goes on until it is aborted", keep="JOB_ID"),
    Step(PROVISIONED, "python -m admin abort JOB_ID --kit ...", says=("aborted",), then=remember_aborted),
    running_job,
    step("python -m admin abort JOB_ID --kit KIT", "aborted", then=aborted),
    running_job,
    asks("nvflare job abort JOB_ID --startup-kit KIT", then=aborted),
    asks("nvflare job delete JOB_ID --startup-kit KIT", then=gone),
    running_job,
    console("abort_job JOB_ID", answer=YES, then=aborted),
    console("delete_job JOB_ID", answer=f"{LEAD}\n", then=gone),
)
MEASURED = (
    step("nvflare job submit", "usage", instead={"job submit": "job submit --help"}, why="the table names it only"),
    step(
        "make bench-deploy", "tests.deploy", at="project", instead={"make": "make -n"}, why="hours: it is printed only"
    ),
    step(
        "python -m tests.deploy NAME", "usage", at="project", instead={"NAME": "--help"}, why="minutes for each series"
    ),
)
CHANGED = (
    step("python -m admin status --kit KIT", "complete", never=("alive",)),
    step(
        "python -m admin package JOB --run-name RUN --without SITE",
        instead={
            "JOB": f"fedaid_pretrain {SETTINGS} --set min_clients=2 --set num_rounds=3",
            "RUN": RUN,
            "SITE": LEAVING,
        },
        why="the run of the walk with its settings, and one round more",
        then=without_the_site,
    ),
    asks("nvflare system shutdown all --force --startup-kit KIT", instead=AS_ADMIN, why=ADMINS, then=all_ended),
    step("python3 -m venv /srv/fedaid/venv-0.9.1", instead={"venv ": "venv --without-pip "}, why="pip is not used"),
    step(
        "/srv/fedaid/venv-0.9.1/bin/pip install -r requirements.txt -c constraints.txt",
        instead={"pip install -r requirements.txt -c constraints.txt": SHARED},
        why="the libraries of the walk's own environment, by a link",
    ),
    step("ln -sfn /srv/fedaid/venv-0.9.1 /srv/fedaid/venv", then=other_version),
    runs_from_the_link,
    console("shutdown all", who=ADMIN, answer=f"{ADMIN}\n", then=all_ended),
    start_again,
    step(
        "ln -sfn /srv/fedaid/venv-0.9.0 /srv/fedaid/venv",
        instead={"ln ": "cp -a /srv/fedaid/venv-0.9.1 /srv/fedaid/venv-0.9.0 && ln "},
        why="the walk has no environment of an older version",
        then=refused_job,
    ),
    asks(
        "nvflare system disable-client SITE --startup-kit KIT",
        instead=AS_ADMIN | {"SITE": LEAVING},
        why=ADMINS,
        then=locked_out,
    ),
    asks(f"nvflare system disable-client SITE --startup-kit KITS/{ADMIN}", instead={"SITE": LEAVING}, why="who leaves"),
    console(
        "disable_client SITE",
        who=ADMIN,
        answer=f"{ADMIN}\n",
        instead={"SITE": LEAVING},
        why="who leaves",
        then=locked_out,
    ),
)

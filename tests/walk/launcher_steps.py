"""The steps of docs/launchers.md, as far as a machine without an engine, a cluster and a running systemd takes them."""

from __future__ import annotations

import shutil

from tests.walk.step import Step
from tests.walk.world import World

PAGE = "launchers"
KIT = {"KIT": "KITS/hospital-lake"}
WHY_KIT = "the kit of one hospital"
CHECK = (
    "PYTHONPATH=startup python3 -B -c 'import sys, pathlib, kit_check; sys.exit(kit_check.main(pathlib.Path.cwd()))'"
)
NO_ENGINE = "[Cc]annot connect to (the )?Docker daemon|command not found"


def units(world: World) -> None:
    (world.checkout / "units").mkdir()


def prepared(world: World) -> None:
    """What `prepare` wrote stands where the page's next commands look for it."""
    assert (world.checkout / "KIT-docker" / "startup" / "start_docker.sh").is_file()
    shutil.rmtree(world.checkout / "KIT-docker" / "transfer", ignore_errors=True)


def named(line: str, **more: object) -> Step:
    """A command that a sentence names without its arguments."""
    last = line.rpartition(" ")[2]
    return Step(PAGE, line, instead={last: f"{last} --help"}, why="the sentence names the command only", **more)  # type: ignore[arg-type]


def package(settings: str, *says: str) -> Step:
    return Step(PAGE, f"python -m admin package fedaid_pretrain --set {settings}", says=says)


LAUNCHERS = (
    units,
    Step(
        PAGE,
        "cp admin/deploy/fedaid-site.service /etc/systemd/system/",
        instead={"/etc/systemd/system/": "units/"},
        why="the units of this machine are its own",
    ),
    Step(
        PAGE,
        "systemctl enable --now fedaid-site",
        instead={"systemctl enable --now fedaid-site": "systemd-analyze verify units/fedaid-site.service"},
        why="systemd does not run here; it reads the unit",
    ),
    Step(PAGE, "journalctl -u fedaid-site"),
    named("systemctl stop"),
    package("""resources='{"num_of_gpus": 1, "memory": "24Gi"}'"""),
    package("""resources='{"@default": {"num_of_gpus": 1}, "hospital-lake": {"num_of_gpus": 0}}'"""),
    package("""launcher='{"docker": {"shm_size": "4g"}}'"""),
    Step(
        PAGE,
        "docker build -f admin/deploy/Dockerfile -t fedaid:0.9.0 .",
        instead={"docker build": "DOCKER_BUILDKIT=0 DOCKER_HOST=tcp://127.0.0.1:1 docker build"},
        why="no engine here: docker reads the command line and finds no engine",
        code=1,
        says=(NO_ENGINE,),
    ),
    named("nvflare deploy prepare"),
    Step(
        PAGE,
        "nvflare deploy prepare KIT --output KIT-docker --config admin/deploy/docker.yaml",
        instead={"prepare KIT ": "prepare KITS/hospital-lake "},
        why=WHY_KIT,
        then=prepared,
    ),
    Step(PAGE, "cp admin/deploy/study_runtime.yaml KIT-docker/local/"),
    Step(
        PAGE,
        CHECK,
        at="checkout/KIT-docker",
    ),
    Step(
        PAGE,
        "cd KIT-docker && ./startup/start_docker.sh",
        instead={"./startup": "bash -n startup/start_docker.sh && DOCKER_HOST=tcp://127.0.0.1:1 ./startup"},
        why="no engine here: the script is read, and its docker finds no engine",
        code=1,
        says=(NO_ENGINE,),
    ),
    named("nvflare deploy k8s stage"),
    Step(
        PAGE,
        "pip install --no-deps fedaid-*.whl",
        at="checkout/build/provision/wheel",
        instead={"--no-deps": "--no-deps --no-index --target ../../../../image"},
        why="a folder of the walk instead of an image",
        says=("Successfully installed fedaid",),
    ),
    Step(PAGE, "pip install datadog", instead={"install": "install --dry-run"}, why="the shared environment stays"),
)

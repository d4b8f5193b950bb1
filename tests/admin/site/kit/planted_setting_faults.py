"""Faults of software, rights, storage, machine and data."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from importlib.metadata import PathDistribution
from typing import Any

import pytest

from admin.federation.kit_settings import set_server_store
from admin.federation.kits.lead_software import software_here
from admin.site.kit.checks import machine_checks, software_checks
from admin.site.policy.installed_policy import install
from hospital_policy.rules import RULES_FILE, Rules
from tests.admin.site.kit.kit_fault import (
    RESOURCES,
    RIGHTS,
    SERVER,
    SOFTWARE,
    KitFault,
    in_world,
    replaced,
    setting,
)
from tests.admin.site.kit.kit_world import World, change, data_folder


def lacks_torch(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    here = software_here() | {"torch": software_checks.MISSING}
    monkeypatch.setattr(software_checks, "software_here", lambda: here)


def other_environment(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = world.kits.parent / "environment" / "fedaid"
    shutil.copytree(world.site / "local" / "custom" / "fedaid", folder)
    (folder / "__init__.py").write_text("x = 1\n")
    monkeypatch.setattr(
        software_checks, "distribution", lambda name: PathDistribution(folder.parent / "fedaid.dist-info")
    )


def policy_and(name: str) -> Callable[[World, pytest.MonkeyPatch], object]:
    """An installed policy without one of its parts."""

    def plant(world: World) -> None:
        install(world.site, Rules(clip=1.0))
        part = world.site / "local" / name
        shutil.rmtree(part) if part.is_dir() else part.unlink()

    return in_world(plant)


def altered_policy(world: World) -> None:
    install(world.site, Rules(clip=1.0))
    with (world.site / "local" / "custom" / "hospital_policy" / "release.py").open("a") as file:
        file.write("# other")


def readable_store(world: World) -> None:
    store = world.kits.parent / "store"
    set_server_store(world.server, store)
    (store / "jobs").mkdir(parents=True)
    (store / "jobs").chmod(0o755)


def store_below_a_file(world: World) -> None:
    (world.kits.parent / "file").write_text("")
    set_server_store(world.server, world.kits.parent / "file" / "store")


def server_setting(text: str) -> Callable[[World, pytest.MonkeyPatch], object]:
    """A text in the server's settings file."""
    return in_world(lambda world: (world.server / "local" / "fedaid_server.json").write_text(text))


def site_setting(text: str) -> Callable[[World, pytest.MonkeyPatch], object]:
    """A text in the site's settings file."""
    return in_world(lambda world: (world.site / "local" / "fedaid_site.json").write_text(text))


def vocabulary(world: World) -> None:
    with (world.site / "local" / "custom" / "fedaid" / "models" / "vocabulary.txt").open("a") as file:
        file.write("word\n")


def without(name: str) -> Callable[[World, pytest.MonkeyPatch], object]:
    """A server's kit that lacks a file of ``local/``."""
    return in_world(lambda world: (world.server / "local" / name).unlink())


def own_resources(world: World) -> None:
    content = (world.site / "local" / RESOURCES).read_text()
    (world.site / "local" / "resources.json").write_text(content)
    change(world.site / "local" / "resources.json", lambda found: found.pop("class_allow_list"))


def offer_gpus(found: Any) -> None:
    found["components"][0]["args"]["num_of_gpus"] = 8


SETTING_FAULTS = (
    KitFault("no torch", "package-missing", lacks_torch, "package torch: not installed"),
    *(
        KitFault(
            f"other {name}",
            "package-version",
            setting(SOFTWARE, lambda found, name=name: found.update({name: "0.1"})),
            name,
        )
        for name in ("torch", "transformers", "nvflare", "numpy")
    ),
    KitFault("other Python", "python-version", setting(SOFTWARE, lambda found: found.update(python="3.9.1")), "3.9.1"),
    KitFault(
        "no wheel installed",
        "code-missing",
        in_world(lambda world: shutil.rmtree(world.site / "local" / "custom" / "fedaid")),
        "local/custom/fedaid",
    ),
    KitFault(
        "changed code",
        "code-differs",
        in_world(lambda world: (world.site / "local" / "custom" / "fedaid" / "__init__.py").write_text("x = 1\n")),
        "local/custom/fedaid",
    ),
    KitFault("other code in the environment", "code-differs", other_environment, "environment/fedaid"),
    KitFault(
        "changed wheel",
        "wheel-differs",
        in_world(lambda world: (world.server / "fedaid-1-py3-none-any.whl").write_bytes(b"other")),
        "fedaid-1",
        SERVER,
    ),
    KitFault(
        "changed vocabulary", "vocabulary-differs", in_world(vocabulary), "vocabulary.txt", also=("code-differs",)
    ),
    KitFault(
        "vocabulary of another version",
        "vocabulary-differs",
        setting(SOFTWARE, lambda found: found.update(vocabulary="ab")),
        "ab",
    ),
    KitFault(
        "no class list", "class-list-open", setting(RESOURCES, lambda found: found.pop("class_allow_list")), "missing"
    ),
    KitFault("settings of the owner without it", "class-list-open", in_world(own_resources), "local/resources.json: "),
    KitFault(
        "all classes", "class-list-open", setting(RESOURCES, lambda found: found["class_allow_list"].append("*")), '"*"'
    ),
    KitFault(
        "warned only",
        "class-list-open",
        setting(RESOURCES, lambda found: found.update(class_list_enforcement_mode="warn")),
        "'warn'",
    ),
    KitFault(
        "a whole package",
        "class-list-wider",
        setting(RESOURCES, lambda found: found["class_allow_list"].append("nvflare")),
        "class_allow_list with nvflare",
    ),
    KitFault(
        "a class too few",
        "class-list-short",
        setting(RESOURCES, lambda found: found["class_allow_list"].pop(0)),
        "without fedaid.",
    ),
    KitFault(
        "code from the lead",
        "byoc-allowed",
        setting(RIGHTS, lambda found: found["permissions"]["lead"].update(byoc="any")),
        "byoc 'any' for lead",
    ),
    KitFault(
        "code from the admin, at the server",
        "byoc-allowed",
        setting(RIGHTS, lambda found: found["permissions"].update(project_admin="any"), SERVER),
        "project_admin",
        SERVER,
    ),
    KitFault(
        "log streaming",
        "log-streaming",
        setting(RESOURCES, lambda found: found.update(allow_log_streaming=True)),
        "True",
    ),
    KitFault(
        "FLARE's default", "log-streaming", setting(RESOURCES, lambda found: found.pop("allow_log_streaming")), "True"
    ),
    KitFault(
        "texts of exceptions",
        "exception-texts",
        replaced("sub_start.sh", "export NVFLARE_SECURE_LOGGING=true", ""),
        "sub_start.sh",
    ),
    KitFault("policy without filters", "policy-broken", policy_and("privacy.json"), "privacy.json"),
    KitFault("policy without rules", "policy-broken", policy_and(RULES_FILE), RULES_FILE),
    KitFault("altered policy", "policy-differs", in_world(altered_policy), "local/custom/hospital_policy"),
    KitFault("policy without code", "policy-broken", policy_and("custom/hospital_policy"), "missing"),
    KitFault(
        "temporary store",
        "storage-temporary",
        in_world(lambda world: set_server_store(world.server, world.kits.parent / "temporary" / "x")),
        "temporary/x/jobs",
        SERVER,
    ),
    KitFault("store below a file", "storage-not-writable", in_world(store_below_a_file), "is a file", SERVER),
    KitFault(
        "relative run store",
        "storage-not-writable",
        server_setting('{"run_store": "runs"}'),
        "not an absolute path",
        SERVER,
    ),
    KitFault("open store", "storage-readable", in_world(readable_store), "mode 0755", SERVER),
    *(
        KitFault(f"a server without {lacks}", "server-components", without(lacks), lacks, SERVER)
        for lacks in (
            *("fedaid_watch__p_resources.json", "fedaid_guard__p_resources.json", "refusals__p_resources.json"),
            *("custom/server_watch.py", "custom/job_guard.py", "custom/refusals/admission.py"),
            *("fedaid_expected__p_resources.json", "custom/expected_sites.py"),
            *("fedaid_clock__p_resources.json", "custom/steady_clock.py"),
        )
    ),
    KitFault(
        "a watch that is not built",
        "server-components",
        setting("fedaid_watch__p_resources.json", lambda found: found.update(components=[]), SERVER),
        "no component",
        SERVER,
    ),
    KitFault(
        "the guard of an older version",
        "server-components",
        in_world(lambda world: (world.server / "local" / "custom" / "job_guard.py").write_text("x = 1\n")),
        "job_guard.py: of another version",
        SERVER,
    ),
    *(
        KitFault(
            f"a heartbeat every {seconds} s",
            "heart-beat",
            replaced("sub_start.sh", "config_folder=config", f"config_folder=config heart_beat_interval={seconds}"),
            f"heart_beat_interval={seconds}",
        )
        for seconds in ("46", "600.5", "0", "-1", "minute")
    ),
    KitFault("misspelt run store", "run-store-invalid", server_setting('{"run_stores": "/x"}'), "run_stores", SERVER),
    KitFault(
        "full disk",
        "disk-low",
        lambda world, patch: patch.setattr(machine_checks, "free_bytes", lambda folder: 2e9),
        "2.0 GB free",
    ),
    KitFault(
        "little memory",
        "memory-low",
        lambda world, patch: patch.setattr(machine_checks, "memory_bytes", lambda: 1e9),
        "1.0 GB",
    ),
    KitFault("GPUs that are not there", "gpu-missing", setting(RESOURCES, offer_gpus), "num_of_gpus 8"),
    KitFault(
        "no data folder",
        "data-folder",
        in_world(lambda world: (world.site / "local" / "fedaid_site.json").unlink()),
        "data_root",
    ),
    KitFault("relative data folder", "data-folder", site_setting('{"data_root": "data"}'), "absolute path"),
    KitFault("misspelt data folder", "data-folder", site_setting('{"data-root": "/data"}'), "data_root"),
    KitFault(
        "data folder that is gone", "data-missing", in_world(lambda world: shutil.rmtree(world.data)), "no such folder"
    ),
    KitFault(
        "empty data folder",
        "data-missing",
        in_world(lambda world: (world.data / "manifest.csv").unlink()),
        "no manifest.csv",
    ),
    KitFault(
        "errors in the data",
        "data-errors",
        in_world(lambda world: data_folder(world.data, image_missing="error")),
        "image-missing",
    ),
)

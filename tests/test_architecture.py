"""The rules of the house that a machine can check, read from the source and never by importing it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CUSTOM, ADMIN, TESTS = ROOT / "custom", ROOT / "admin", ROOT / "tests"
FEDAID = CUSTOM / "fedaid"
SOURCES = sorted([*CUSTOM.rglob("*.py"), *ADMIN.rglob("*.py")])
MODULES = [path for path in SOURCES if path.name != "__init__.py"]

# room of fedaid → rooms that it may import; the modules beside the rooms are open to all
ALLOWED = {
    "data": set[str](),
    "models": set[str](),
    "losses": set[str](),
    "minmax": set[str](),
    "training": {"data", "models", "losses"},
    "evaluation": {"models"},
    "flare": {"data", "models", "losses", "minmax", "training", "evaluation"},
}
OPEN = {path.stem for path in FEDAID.glob("*.py")}
# floors of admin, lowest first: a room may import rooms of the floors below its own
FLOORS = (
    {"jobs", "twin", "results"},
    {"session"},
    {"federation"},
    {"site", "model", "results/report"},
    {"study", "recipe"},
    {"verbs"},
    {"__main__"},
)
KNOW_FLARE = {"federation", "session", "recipe"}  # of admin
NUMPY_ONLY = {"__future__", "collections", "dataclasses", "fedaid", "math", "numpy", "scipy", "types", "typing"}
NO_NAMES = {"utils", "util", "common", "helpers", "helper", "misc", "tools"}


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imported(path: Path) -> Iterator[str]:
    """Dotted names of all modules that a file imports, at any depth."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{relative(path)} imports relatively"
            assert node.module is not None
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    """Every call with the last part of what is called."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def room_of(name: str) -> str:
    """The room of admin that a dotted name lies in: ``results/report`` is one of its own."""
    parts = name.split(".")[1:]
    return "/".join(parts[:2]) if parts[:2] == ["results", "report"] else parts[0]


def floor(room: str) -> int:
    found = [number for number, rooms in enumerate(FLOORS) if room in rooms]
    assert found, f"admin/{room} has no floor"
    return found[0]


def test_there_is_something_to_check() -> None:
    assert len(MODULES) > 80
    assert {path.name for path in FEDAID.iterdir() if path.is_dir() and path.name != "__pycache__"} == set(ALLOWED)


@pytest.mark.parametrize("room", ALLOWED)
def test_imports_point_one_way(room: str) -> None:
    files = sorted((FEDAID / room).rglob("*.py"))
    assert files
    for path in files:
        parts = [name.split(".") for name in imported(path) if name.split(".")[0] == "fedaid"]
        rooms = {part[1] for part in parts if len(part) > 1} - OPEN - {room}
        assert rooms <= ALLOWED[room], f"{relative(path)} imports {sorted(rooms - ALLOWED[room])}"


def test_imports_of_admin_point_one_way() -> None:
    checked = set()
    for path in sorted(ADMIN.rglob("*.py")):
        own = room_of(".".join(path.relative_to(ROOT).with_suffix("").parts))
        if own == "__init__":
            continue
        checked.add(own)
        rooms = {room_of(name) for name in imported(path) if name.startswith("admin.")} - {own}
        wrong = [room for room in rooms if floor(room) >= floor(own) and not own.startswith(f"{room}/")]
        assert wrong == [], f"{relative(path)} imports admin/{wrong}"
    assert checked == set().union(*FLOORS)


def test_the_package_does_not_know_what_is_around_it() -> None:
    for path in FEDAID.rglob("*.py"):
        assert not {"admin", "tests"} & {name.split(".")[0] for name in imported(path)}, relative(path)


def test_the_twin_is_imported_by_studies_and_its_own_verb_only() -> None:
    users = {path for path in SOURCES if any(name.startswith("admin.twin") for name in imported(path))}
    rooms = {path.relative_to(ADMIN).parts[0] for path in users if ADMIN in path.parents}
    assert "twin" in rooms
    assert rooms <= {"twin", "study", "verbs"}
    assert not [path for path in users if CUSTOM in path.parents]


def test_flare_is_known_where_it_must_be() -> None:
    users = {path for path in SOURCES if "nvflare" in {name.split(".")[0] for name in imported(path)}}
    assert len(users) > 5
    rooms = [FEDAID / "flare", *(ADMIN / room for room in KNOW_FLARE)]
    outside = [
        relative(path) for path in users if not any(room in (*path.parents, path.with_suffix("")) for room in rooms)
    ]
    assert outside == []


def test_the_min_max_needs_numbers_only() -> None:
    for path in (FEDAID / "minmax").rglob("*.py"):
        assert {name.split(".")[0] for name in imported(path)} <= NUMPY_ONLY, relative(path)


def test_package_files_import_nothing() -> None:
    files = [*CUSTOM.rglob("__init__.py"), *(ADMIN.rglob("*/__init__.py"))]
    assert len(files) > 20
    for path in files:
        assert list(imported(path)) == [], relative(path)


def test_no_room_and_no_module_has_a_name_that_says_nothing() -> None:
    named = [path for path in SOURCES if NO_NAMES & {path.stem, *path.relative_to(ROOT).parts[:-1]}]
    assert named == []


def test_a_room_can_be_kept_in_mind() -> None:
    rooms = {path.parent for path in MODULES}
    assert len(rooms) > 20
    for room in rooms:
        loose = [path.name for path in room.glob("*.py") if path.name != "__init__.py"]
        assert len(loose) <= 15, f"{relative(room)} has {len(loose)} loose modules"


def test_no_two_modules_have_one_name() -> None:
    places: dict[str, list[str]] = {}
    for path in MODULES:
        places.setdefault(path.name, []).append(relative(path))
    usual = {"__main__.py", "settings.py"}
    assert [where for name, where in places.items() if len(where) > 1 and name not in usual] == []


def test_tests_are_no_packages() -> None:
    assert [relative(p) for p in TESTS.rglob("__init__.py") if "trivial_job" not in p.parts] == []


def test_nothing_unpickles() -> None:
    forbidden = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
    for path in SOURCES:
        assert not forbidden & {name.split(".")[0] for name in imported(path)}, relative(path)
        for called, node in calls(path):
            given = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
            where = f"{relative(path)}, line {node.lineno}"
            if called == "torch.load":
                assert given.get("weights_only") == "True", where
            if called in ("np.load", "numpy.load"):
                assert given.get("allow_pickle") == "False", where


def test_no_code_of_a_model_repository_is_trusted_and_nothing_is_fetched() -> None:
    loaded = 0
    for path in SOURCES:
        for called, node in calls(path):
            given = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
            where = f"{relative(path)}, line {node.lineno}"
            assert given.get("trust_remote_code", "False") == "False", where
            if called.endswith("from_pretrained"):
                loaded += 1
                assert given.get("local_files_only") == "True", where
                assert given.get("trust_remote_code") == "False", where
    assert loaded >= 2


def test_no_shell_and_no_evaluation_of_text() -> None:
    for path in SOURCES:
        for called, node in calls(path):
            where = f"{relative(path)}, line {node.lineno}"
            assert called not in ("eval", "exec", "os.system", "os.popen"), where
            assert all(k.arg != "shell" or ast.unparse(k.value) == "False" for k in node.keywords), where


def test_one_module_replaces_files() -> None:
    replacing = {
        relative(path)
        for path in SOURCES
        for called, node in calls(path)
        if called == "os.replace" or (called.endswith(".replace") and len(node.args) == 1 and not node.keywords)
    }
    assert replacing == {"custom/fedaid/atomic_file.py"}


def test_pictures_are_decoded_in_decode_processes_only() -> None:
    decoding = {
        "read_dicom",
        "dicom_picture",
        "read_image",
        "image_picture",
        "read_radiograph",
        "radiograph_picture",
        "answer_to",
    }
    users = {path: decoding & {name.rpartition(".")[2] for name in imported(path)} for path in SOURCES}
    pixels = FEDAID / "data" / "pixels"
    assert {relative(path): names for path, names in users.items() if names} == {
        relative(pixels / "image.py"): {"dicom_picture"},
        relative(pixels / "decode_worker.py"): {"radiograph_picture"},
    }


def test_no_assert_and_no_bare_except() -> None:
    for path in SOURCES:
        for node in ast.walk(tree(path)):
            assert not isinstance(node, ast.Assert), f"{relative(path)}, line {node.lineno}"
            assert not (isinstance(node, ast.ExceptHandler) and node.type is None), f"{relative(path)}"


def test_files_and_functions_keep_their_size() -> None:
    for path in SOURCES:
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 250, relative(path)
        for node in ast.walk(tree(path)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name != "__init__":
                body = node.body[1:] if ast.get_docstring(node) else node.body
                lines = body[-1].end_lineno - body[0].lineno + 1 if body else 0  # type: ignore[operator]
                assert lines <= 40, f"{relative(path)}: {node.name} has {lines} lines"

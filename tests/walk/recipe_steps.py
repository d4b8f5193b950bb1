"""The steps of docs/recipe.md: each Python expression in a process of its own, ProdEnv in the walk's federation."""

from __future__ import annotations

from tests.integration.conftest import MODEL, TRAINING
from tests.walk.page_line import page_lines
from tests.walk.placeholders import OTHER
from tests.walk.step import Step
from tests.walk.world import SITES, World

PAGE = "recipe"
SMALL = {
    'model={"image_size": 224}': f"model={MODEL}",
    'settings={"batch_size": 16, "rho": 0.1}': f"settings={TRAINING | OTHER | {'rho': 0.1}}",
    "num_rounds=20": "num_rounds=1",
}
RESULT = "; print(run.get_status(), run.get_result(timeout=400))"
(BLOCK,) = (line.text for line in page_lines(PAGE) if "\n" in line.text)
FILTER = 'recipe.add_client_output_filter(PercentilePrivacy(percentile=20), tasks=["align", "pretrain", "train"])'
HOSPITAL = 'FedAIDRecipe(preset="hospital", model={"image_encoder": "local:rad-dino", ...})'
OWN_POC = "a port and a folder of the walk; it waits for the result and stops"


def produced(world: World) -> None:
    """The server has the recipe's job, and its result has a model of all sites."""
    (folder,) = [one for one in world.said_paths() if (one / "workspace").is_dir()]
    world.values["PRODUCED"] = folder.name
    results = world.results_in(folder / "workspace")
    assert sorted(results["history"][0]["valid"]) == sorted(SITES)
    assert len(results["history"]) == 1


def step(line: str, *says: str, **more: object) -> Step:
    return Step(PAGE, line, at="python", says=says, **more)  # type: ignore[arg-type]


RECIPES = (
    Step(PAGE, "python -m admin package", instead={"package": "package --help"}, why="named only", says=("usage",)),
    Step(PAGE, "python -m admin poc", instead={"poc": "poc --help"}, why="named only", says=("usage",)),
    step(BLOCK, instead=SMALL, why="a small model and one round"),
    step('recipe.execute(SimEnv(clients=["a", "b", "c"]))'),
    step(
        'recipe.execute(ProdEnv(startup_kit_location="KITS/lead@consortium.org"))',
        "COMPLETED|FINISHED",
        instead={"recipe.execute": "run = recipe.execute", '.org"))': f'.org")){RESULT}'},
        why="the walk waits for the result",
        then=produced,
    ),
    step(
        "recipe.execute(PocEnv(num_clients=3))",
        "pilot|poc",
        instead={
            "recipe.execute(PocEnv(num_clients=3))": "env = PocEnv(num_clients=3, **{poc}); run = recipe.execute(env)"
            "; print(run.get_result(timeout=400, clean_up=False)); env.stop()"
        },
        why=OWN_POC,
    ),
    step('recipe.export("jobs")'),
    step('set_per_site_config(recipe, {"a": {"batch_size": 8}, "b": {}, "c": {}})'),
    step('add_experiment_tracking(recipe, "tensorboard")'),
    step(FILTER),
    step('FedAIDRecipe(method="local")'),
    step('FedAIDRecipe(method="evaluate", start_from=MODEL_FOLDER, sites=["a", "b", "c"])'),
    step('FedAIDRecipe(start_from=MODEL_FOLDER, sites=["a", "b", "c"])'),
    step(
        HOSPITAL,
        instead={'model={"image_encoder": "local:rad-dino", ...}': 'start_from=MODEL_FOLDER, sites=["a", "b", "c"]'},
        why="the walk has no weights of rad-dino; the preset takes a finished model, too",
    ),
    step("FedAIDRecipe(code=False)"),
)

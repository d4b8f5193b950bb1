"""The code of docs/export.md and of the cards, as it stands, where this project cannot be imported."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps

from admin.__main__ import main
from admin.model.export.usage import usage
from fedaid.data.pixels.image import read_radiograph
from fedaid.models.saved_model import load_model
from tests.admin.model.export.clean_process import run_clean
from tests.admin.model.export.trained_models import SIZE, image_embeddings, trained, write_film, write_model

ROOT = Path(__file__).parents[4]
RUN = "import numpy, runpy; found = runpy.run_path('example.py').get('image_embeddings'); "
SAVE = "found is None or numpy.save('found.npy', numpy.asarray(found))"

EXAMPLES = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "export.md").read_text(encoding="utf-8"), re.DOTALL)
MONAI, HUGGING_FACE, ONNX = EXAMPLES


@pytest.fixture(scope="module", params=["resnet", "vit"])
def home(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``build/export`` of a small model and a film."""
    folder = tmp_path_factory.mktemp("home")
    model = write_model(trained(request.param), folder / "model")
    assert main(["export", str(model), "--out", str(folder / "build" / "export")]) == 0
    write_film(folder / "film.png")
    return folder


def embedded(home: Path, *, by_pillow: bool) -> np.ndarray:  # type: ignore[type-arg]
    """The film's embedding by this project's model, read by this project or as the examples with Pillow read it."""
    if by_pillow:
        film = ImageOps.autocontrast(Image.open(home / "film.png").convert("L"), cutoff=0.1)
        film = ImageOps.pad(film, (SIZE, SIZE), Image.Resampling.BILINEAR)
        unit = np.asarray(film, dtype=np.float32) / 255
    else:
        unit = read_radiograph(home / "film.png", SIZE)
    return image_embeddings(load_model(home / "model"), torch.from_numpy(unit)[None, None] * 2 - 1).numpy()


def run(code: str, folder: Path) -> tuple[str, Path]:
    """Runs an example in a folder; returns what it printed and the file of the image embeddings that it made."""
    (folder / "found.npy").unlink(missing_ok=True)
    (folder / "example.py").write_text(code, encoding="utf-8")
    ran = run_clean(RUN + SAVE, folder=folder)
    assert ran.returncode == 0, ran.stderr[-2000:]
    return ran.stdout, folder / "found.npy"


def test_the_document_s_examples_are_the_code_of_the_cards() -> None:
    assert usage("monai", folder="build/export/monai") == MONAI
    assert usage("onnx", folder="build/export/onnx") == ONNX


def test_the_readme_has_no_python_but_these_examples_and_that_of_the_recipe() -> None:
    code = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    (recipe,) = set(code) - set(EXAMPLES)
    assert "FedAIDRecipe(" in recipe  # tests/admin/test_recipe.py runs it


@pytest.mark.parametrize("code", [HUGGING_FACE, ONNX])
def test_a_film_of_16_bits_is_refused_by_the_lines_that_would_wash_it_out(
    code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_film(tmp_path / "film.png", levels=4095)
    monkeypatch.chdir(tmp_path)
    [line] = [line for line in code.splitlines() if "autocontrast" in line]
    (tmp_path / "line.py").write_text(f"from PIL import Image, ImageOps\n{line}\n", encoding="utf-8")
    with pytest.raises(OSError, match="not supported for mode I;16"):
        runpy.run_path(str(tmp_path / "line.py"))


def test_an_example_has_about_ten_lines() -> None:
    assert [len(code.splitlines()) for code in EXAMPLES] == [10, 10, 11]


@pytest.mark.slow
def test_the_example_for_monai_embeds_a_film_without_this_project(home: Path) -> None:
    np.testing.assert_allclose(np.load(run(MONAI, home)[1]), embedded(home, by_pillow=False), atol=1e-5)


@pytest.mark.slow
def test_the_example_for_onnx_embeds_a_film_without_this_project(home: Path) -> None:
    np.testing.assert_allclose(np.load(run(ONNX, home)[1]), embedded(home, by_pillow=True), atol=1e-4)


@pytest.mark.slow
def test_the_example_for_hugging_face_gives_features_without_this_project(home: Path) -> None:
    assert run(HUGGING_FACE, home)[0].startswith("torch.Size([1, ")


@pytest.mark.slow
def test_the_code_of_a_hugging_face_card_embeds_a_film_without_this_project(home: Path) -> None:
    folder = home / "build" / "export" / "huggingface"
    write_film(folder / "film.png")
    [code] = re.findall(r"```python\n(.*?)```", (folder / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    np.testing.assert_allclose(np.load(run(code, folder)[1]), embedded(home, by_pillow=True), atol=1e-5)

from __future__ import annotations

import ast

import pytest

from admin.model.export.stock_tower import stock_image_tower, stock_text_tower
from admin.model.export.usage import constructor, features_expression, hugging_face_usage, usage
from tests.admin.model.export.trained_models import trained


@pytest.mark.parametrize("form", ["monai", "onnx"])
def test_the_code_loads_from_the_folder_that_is_named(form: str) -> None:
    code = usage(form, folder="build/export/here")
    ast.parse(code)
    assert '"build/export/here' in code


@pytest.mark.parametrize("name", ["vit", "resnet"])
def test_the_code_of_the_hugging_face_layout_knows_no_class_of_this_project(name: str) -> None:
    model = trained(name)
    code = hugging_face_usage(model, stock_image_tower(model), stock_text_tower(model))
    modules = {node.module for node in ast.walk(ast.parse(code)) if isinstance(node, ast.ImportFrom)}
    assert modules == {"PIL", "safetensors.torch", "torch.nn.functional", "transformers"}


def test_without_an_image_tower_the_code_is_about_texts_alone() -> None:
    model = trained("monai_densenet121")
    code = hugging_face_usage(model, None, stock_text_tower(model))
    ast.parse(code)
    assert "text_embeddings" in code
    assert "image" not in code


def test_a_part_of_the_configuration_becomes_a_constructor() -> None:
    definition = {"_target_": "torch.nn.LayerNorm", "normalized_shape": 8}
    assert constructor(definition) == "torch.nn.LayerNorm(normalized_shape=8)"
    assert constructor("$torch.nn.GELU()") == "torch.nn.GELU()"


def test_features_are_written_in_the_names_of_the_code() -> None:
    definition = {"features": "$lambda images: @norm(@encoder(images)[0])"}
    assert features_expression(definition) == 'head["norm"](encoder(images)[0])'

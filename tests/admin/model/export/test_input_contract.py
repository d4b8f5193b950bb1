from __future__ import annotations

from admin.model.export.input_contract import input_contract


def test_the_contract_states_shape_and_range() -> None:
    contract = input_contract(224)
    assert contract["shape"] == ["batch", 1, 224, 224]
    assert contract["range"] == [-1.0, 1.0]


def test_the_contract_names_the_percentiles_and_the_size_of_this_project_s_reader() -> None:
    steps = " ".join(input_contract(224)["steps"])
    assert "0.1 and 99.9 percentiles" in steps
    assert "longer side scaled to 224 pixels" in steps

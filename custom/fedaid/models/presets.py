"""Small built-in configurations: a model variant is data. Any entry can be overridden option by option in a job."""

from __future__ import annotations

from typing import Any

IMAGE_ENCODERS: dict[str, dict[str, Any]] = {
    "monai_densenet121": {},
    "monai_resnet": {"block": "basic", "layers": [1, 1, 1, 1], "block_inplanes": [32, 64, 128, 256]},
    "monai_vit": {"patch_size": 8, "hidden_size": 128, "mlp_dim": 256, "num_layers": 4, "num_heads": 4},
    "vit": {
        "patch_size": 8,
        "hidden_size": 128,
        "intermediate_size": 256,
        "num_hidden_layers": 4,
        "num_attention_heads": 4,
    },
    "dinov2": {"patch_size": 8, "hidden_size": 128, "num_hidden_layers": 4, "num_attention_heads": 4, "mlp_ratio": 2},
    "convnext": {"patch_size": 2, "hidden_sizes": [32, 64, 128], "depths": [1, 1, 2], "num_stages": 3},
    "swin": {"patch_size": 4, "embed_dim": 32, "depths": [2, 2], "num_heads": [2, 4], "window_size": 4},
    "resnet": {"embedding_size": 32, "hidden_sizes": [32, 64, 128], "depths": [1, 1, 1], "layer_type": "basic"},
}

TEXT_ENCODERS: dict[str, dict[str, Any]] = {
    "bert": {"hidden_size": 128, "intermediate_size": 256, "num_hidden_layers": 2, "num_attention_heads": 4},
    "roberta": {"hidden_size": 128, "intermediate_size": 256, "num_hidden_layers": 2, "num_attention_heads": 4},
    "electra": {
        "embedding_size": 128,
        "hidden_size": 128,
        "intermediate_size": 256,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
    },
    "distilbert": {"dim": 128, "hidden_dim": 256, "n_layers": 2, "n_heads": 4},
}

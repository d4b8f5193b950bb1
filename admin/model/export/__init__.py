"""A trained model in the formats of others: Hugging Face folders, a MONAI bundle, ONNX."""

"""Export a trained model to formats of other libraries: Hugging Face folders, a MONAI bundle, ONNX."""

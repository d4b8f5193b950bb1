"""FedAID: federated image-text pre-training on NVIDIA FLARE; the package that a deployed job carries in app/custom."""

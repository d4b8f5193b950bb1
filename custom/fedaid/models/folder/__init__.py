"""What a folder below ``$FEDAID_MODELS`` must hold: a known type, whole weights, or a network of MONAI."""

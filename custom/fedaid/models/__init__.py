"""The dual encoder: towers, alignment modules, vocabulary."""

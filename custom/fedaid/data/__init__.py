"""A hospital's files to tensors."""

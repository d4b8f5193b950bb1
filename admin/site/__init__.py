"""A hospital's side: prepare a dataset, examine it, divide it."""

"""Towers of models in open_clip's layout, each converted to a class of transformers."""

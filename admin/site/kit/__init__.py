"""The doctor of a startup kit and its machine."""

"""Comparing methods on one machine, and the demo."""

"""The report card of a run, one page for the people who decide: ``python -m admin report``."""

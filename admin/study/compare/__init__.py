"""Compare methods on the data of one machine: the rounds in plain Python, trials and their statistics.

This package does not use FLARE. ``tests/integration/test_simulator.py`` shows that the job on FLARE gives the same
numbers.
"""

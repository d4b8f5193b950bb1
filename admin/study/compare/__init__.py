"""Methods side by side on data of one machine: the rounds in plain Python, trials, their statistics.

Nothing of FLARE runs here. ``tests/integration/test_simulator.py`` shows that the job on FLARE gives the same numbers.
"""

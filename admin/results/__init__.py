"""The results of a finished run: table, curves, report card."""

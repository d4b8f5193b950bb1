"""The identifiers that patterns can find in the text of a report, one module for each kind."""

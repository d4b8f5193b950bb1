"""One module per data set, each with one function of the same signature. ``preset.py`` has the table."""

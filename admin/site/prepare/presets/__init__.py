"""One module per data set, each with one function of the same shape; ``preset.py`` has the table."""

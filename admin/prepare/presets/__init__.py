"""One module a data set, each with one function of the same shape; the table of them is ``admin/prepare/preset.py``."""

"""The verbs of ``python -m admin``: their arguments, their help, and what each prints."""

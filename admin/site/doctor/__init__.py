"""The paired-data doctor: what is wrong with a site's images, reports and manifest: ``python -m admin doctor``."""

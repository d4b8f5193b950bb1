"""Makes a site's dataset from its images and reports, at the site: ``python -m admin prepare``."""

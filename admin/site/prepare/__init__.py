"""From a folder of images and a set of reports to a site's dataset, at the site: ``python -m admin prepare``."""

"""One collection divided among simulated sites, by whole patients."""

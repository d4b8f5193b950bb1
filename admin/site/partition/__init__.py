"""Divides one dataset among simulated sites, by patient."""

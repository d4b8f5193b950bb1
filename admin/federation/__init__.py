"""A federation on this machine: provisioning, POC, simulator, start and stop."""

"""Durable state of a run, outside every FLARE workspace, at the server and at the sites."""

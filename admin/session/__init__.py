"""Talking to a running FLARE server: login, submit, follow, download."""

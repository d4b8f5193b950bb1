"""Connects FLARE and the method: unpacks, calls and packs."""

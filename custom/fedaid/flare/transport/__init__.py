"""Sends arrays through the streams of FLARE 2.9.0 in blocks of one size, which FLARE itself cannot do."""

"""Reads the sections of a report that describe the image, and removes identifiers."""

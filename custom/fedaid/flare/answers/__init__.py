"""Asks sites, counts their answers, and notes who is missing."""

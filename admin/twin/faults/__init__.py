"""Faults that are planted in a healthy hospital of the twin."""

"""The end of jobs on purpose, and what the server noted of an end."""

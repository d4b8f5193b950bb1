"""What a person sees of a running job on a terminal, and in a log."""

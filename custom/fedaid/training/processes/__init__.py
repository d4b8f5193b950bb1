"""Training of one site spread over several processes, one per GPU."""

"""Translation between FLARE and the method, and nothing else."""

"""Site weights: projection, dual step, weighted average; numpy only."""

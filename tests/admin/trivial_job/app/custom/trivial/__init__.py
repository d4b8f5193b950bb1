"""The smallest job that answers like ours: rounds, losses, weights, and progress in the server's stats."""

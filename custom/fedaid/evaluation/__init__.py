"""Metrics over embeddings."""

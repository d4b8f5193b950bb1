"""The server's components: controllers, gate, aggregator, run store, tracking."""

"""What server and sites exchange, and how it lies in a FLARE message."""

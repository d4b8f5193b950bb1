"""One site's local work, no federation."""

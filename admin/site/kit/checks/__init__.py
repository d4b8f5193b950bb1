"""What the doctor of a startup kit looks for."""

"""What a researcher runs."""

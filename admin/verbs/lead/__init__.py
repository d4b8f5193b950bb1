"""What the lead of a consortium runs."""

"""What a hospital's data manager runs."""

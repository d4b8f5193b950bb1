"""What lies in a startup kit: its certificate, its owner, and what the lead's machine had when the kit was made."""

"""Tables as programs export them: their encoding, their separator and their rows."""

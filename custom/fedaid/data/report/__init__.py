"""A report becomes the sections that describe the picture, without identifiers."""

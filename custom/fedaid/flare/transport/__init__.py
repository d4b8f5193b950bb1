"""Array transport through FLARE's streams in blocks of one size."""

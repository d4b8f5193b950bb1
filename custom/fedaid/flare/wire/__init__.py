"""Messages between server and sites, and how FLARE carries them."""

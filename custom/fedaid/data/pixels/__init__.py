"""An image file of any accepted format becomes a grey picture."""

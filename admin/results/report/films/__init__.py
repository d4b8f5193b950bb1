"""The parts of the report card that need the sites' images."""

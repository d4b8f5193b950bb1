"""Reports that come as messages or in several versions: one record each, before they are paired."""

"""A hospital's own policy: its installation in a kit, and the ledger of what left."""

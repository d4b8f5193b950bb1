"""The work of a site: in the process of its job, or in a child of it."""

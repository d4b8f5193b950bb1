"""The site's components: executors, and what a site remembers from one task to the next."""

"""The site's components: executors, and what a site keeps between two tasks."""

"""How much memory a job takes at a site and at the server, derived from the copies of the model that the code holds."""

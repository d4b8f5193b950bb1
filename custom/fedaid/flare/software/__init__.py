"""What software the server and the sites of a job run: reported, compared, refused."""

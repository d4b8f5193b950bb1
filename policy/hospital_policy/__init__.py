"""A hospital's own policy on what leaves its site: installed in the site's kit, never part of a job, numpy only."""

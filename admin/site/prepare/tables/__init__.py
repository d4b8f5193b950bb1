"""A hospital's table of reports: which column is what, which number a cell holds, and why numbers do not match."""

"""The hospital's tools: prepare, examine and divide a dataset."""

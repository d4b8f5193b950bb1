"""The version of this software; CITATION.cff and CHANGELOG.md repeat it, and a test compares them."""

VERSION = "0.9.0"
VERSION_KEY = "fedaid_version"  # of a packaged job's meta.json, and of a saved model's and an export's config.json

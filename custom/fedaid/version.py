"""The version of this software; CITATION.cff and CHANGELOG.md repeat it, and a test compares them."""

VERSION = "0.9.0"
CODE_KEY = "fedaid_code"  # of a packaged job's meta.json: start of the hash of its code
NO_CODE_KEY = "fedaid_code_installed"  # of the same: true if server and sites have the code, and the job has none
VERSION_KEY = "fedaid_version"  # of a packaged job's meta.json, and of a saved model's and an export's config.json

"""Wording a report: phrases, synonyms, styles, reports paired with the wrong study."""

"""Write reports: phrases, synonyms, styles, and reports paired with the wrong study."""

"""Zero-shot findings: prompts, scores, means over common and rare findings, and one of several classes."""

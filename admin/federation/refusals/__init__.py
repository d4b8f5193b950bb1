"""Components of FLARE in startup kits: they refuse what FLARE lets in, and say what FLARE refuses without a word.

``provision`` copies this folder into kits, as ``local/custom/refusals``. So its modules import FLARE only.
"""

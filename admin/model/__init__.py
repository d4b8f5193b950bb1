"""A trained model in other formats, and the vocabulary of the text tower."""

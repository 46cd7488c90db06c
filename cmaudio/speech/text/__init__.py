"""Text normalisation: what is written, in the words that a reader says."""

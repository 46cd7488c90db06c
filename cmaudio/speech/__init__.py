"""Text to segments: phrases, phonemes, and their timing and melody."""

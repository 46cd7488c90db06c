"""Text to segments: phrases, phonemes, durations and intonation."""

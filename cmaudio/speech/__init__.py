"""Text that speaks: phrases, phonemes, their timing and melody, and the voice that says them."""

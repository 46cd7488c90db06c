"""Training steps, one task a file."""

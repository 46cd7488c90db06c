"""Sound from an input: waiting for it, recording it, and making a take of it."""

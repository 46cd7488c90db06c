"""The performance controls, by name."""

"""Recording from an input: trigger, stream, trimming and level."""

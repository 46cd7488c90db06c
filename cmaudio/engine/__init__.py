"""The engine: events in, samples out."""

"""A speech and instrument server: many streams in one process share the evaluations of the networks."""
